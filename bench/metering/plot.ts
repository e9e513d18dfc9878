import type { Overhead } from './overhead.ts';
import type { Scheme } from './schemes.ts';

const drawn: [scheme: Scheme, label: string, color: string][] = [
  ['globalPerBlock', 'global, checked at every block', '#c2b8a3'],
  ['locals', 'locals and a global, merged charges', '#6aa6c8'],
  ['metered', 'as a provider meters', '#b5402f'],
  ['copy', 'unmetered once more: the noise', '#888888'],
];
const left = 160;
const top = 74;
const row = 17;
const width = 860;
const least = 0.5;
const most = 2.1;

const x = (ratio: number): number =>
  left + ((Math.min(most, Math.max(least, ratio)) - least) / (most - least)) * (width - left - 30);

/** A dot for each program and scheme, on a scale of its time against the unmetered module's. */
export function plotOverheads(overheads: readonly Overhead[]): string {
  const height = top + overheads.length * row + 30;
  const lines: string[] = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="12" y="22" font-size="15">Time of the metered module / of the unmetered one</text>`,
  ];
  let legend = 14;
  for (const [, label, color] of drawn) {
    lines.push(`<circle cx="${legend}" cy="42" r="4" fill="${color}"/><text x="${legend + 9}" y="46">${label}</text>`);
    legend += 24 + label.length * 6;
  }
  for (let ratio = least; ratio <= most; ratio += 0.1) {
    const main = Math.abs(ratio - 1) < 0.01;
    lines.push(
      `<line x1="${x(ratio)}" x2="${x(ratio)}" y1="${top - 8}" y2="${height - 24}" stroke="${main ? '#444' : '#e4e4e4'}"/>`,
    );
    if (Math.round(ratio * 10) % 2 === 0) {
      lines.push(`<text x="${x(ratio)}" y="${height - 10}" text-anchor="middle">${ratio.toFixed(1)}</text>`);
    }
  }
  for (const [index, { name, kind, ratios }] of overheads.entries()) {
    const y = top + index * row;
    const label = kind === 'kernel' ? name : `${name} (${kind})`;
    lines.push(`<text x="${left - 8}" y="${y + 4}" text-anchor="end">${label}</text>`);
    lines.push(`<line x1="${left}" x2="${width - 30}" y1="${y}" y2="${y}" stroke="#f2f2f2"/>`);
    for (const [scheme, way, color] of drawn) {
      const ratio = ratios[scheme];
      lines.push(
        `<circle cx="${x(ratio).toFixed(1)}" cy="${y}" r="${scheme === 'copy' ? 2.5 : 4.5}" fill="${color}"><title>${name}, ${way}: ${ratio.toFixed(3)}</title></circle>`,
      );
    }
  }
  return `${lines.join('\n')}\n</svg>\n`;
}
