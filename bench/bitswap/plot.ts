import { writeFile } from 'node:fs/promises';
import { median } from '../measure.ts';
import { freshSet, type Implementation, type Pair, startPair, startPeer, timeInTurn } from './pairs.ts';

const FILE = new URL('../../docs/bitswap.svg', import.meta.url);
const KIB = 1024;
const SIZES = [1, 4, 16, 64, 256, 1024].map((size) => size * KIB);
const CLIENTS = [1, 2, 4, 8];
const BYTES_MAX = 32 * KIB * KIB;
const BLOCKS_MAX = 128;
const ROUNDS = 3;

interface Line {
  name: Implementation;
  /** MB/s for each place on the x axis. */
  values: number[];
}

/**
 * Draws throughput against block size, and against the number of peers that fetch at once. Without boxo: on a busy machine
 * its pair loses a want now and then and waits 30 s for its own rebroadcast, which no number of rounds hides.
 */
export async function plot(progress: (line: string) => void): Promise<void> {
  const names: Implementation[] = ['ours', 'helia'];
  const bySize = await againstSize(names, progress);
  const byClients = await againstClients(names, progress);
  const left = chart(0, 'MB/s by block size, one server, one client', SIZES.map(sizeLabel), bySize);
  const right = chart(480, 'MB/s in all by number of clients, blocks of 64 KiB', CLIENTS.map(String), byClients);
  await writeFile(FILE, svg(left + right));
}

async function againstSize(names: Implementation[], progress: (line: string) => void): Promise<Line[]> {
  const pairs: Pair[] = [];
  for (const name of names) pairs.push(await startPair(name, name));
  const lines: Line[] = names.map((name) => ({ name, values: [] }));
  for (const size of SIZES) {
    const count = Math.min(BLOCKS_MAX, BYTES_MAX / size);
    const times = await timeInTurn(pairs, ROUNDS, count, size);
    for (const [index, line] of lines.entries()) line.values.push((count * size) / 1000 / median(times[index]!));
    progress(
      `${sizeLabel(size)}: ${lines.map(({ name, values }) => `${name} ${values.at(-1)!.toFixed(1)}`).join(', ')} MB/s`,
    );
  }
  await Promise.all(pairs.map((pair) => pair.stop()));
  return lines;
}

async function againstClients(names: Implementation[], progress: (line: string) => void): Promise<Line[]> {
  const lines: Line[] = [];
  for (const name of names) {
    const server = await startPeer(name);
    const clients = await Promise.all(Array.from({ length: Math.max(...CLIENTS) }, () => startPeer(name)));
    const line: Line = { name, values: [] };
    for (const client of clients) await client.connect(server.addr);
    for (const count of CLIENTS) {
      const rates: number[] = [];
      for (let round = -1; round < ROUNDS; round++) {
        const sets = Array.from({ length: count }, () => freshSet(64, 64 * KIB));
        for (const set of sets) await server.make(set);
        const fetched = await Promise.all(sets.map((set, index) => clients[index]!.fetch(set)));
        const ms = Math.max(...fetched.map((one) => one.ms));
        if (round >= 0) rates.push((count * 64 * 64 * KIB) / 1000 / ms);
        for (const [index, set] of sets.entries()) await Promise.all([server.drop(set), clients[index]!.drop(set)]);
      }
      line.values.push(median(rates));
    }
    progress(`${name}, ${CLIENTS.join('/')} clients: ${line.values.map((value) => value.toFixed(0)).join('/')} MB/s`);
    await Promise.all([server, ...clients].map((peer) => peer.stop()));
    lines.push(line);
  }
  return lines;
}

function sizeLabel(size: number): string {
  return size < KIB * KIB ? `${size / KIB} KiB` : `${size / KIB / KIB} MiB`;
}

const WIDTH = 380;
const HEIGHT = 240;
const LEFT = 50;
const TOP = 50;

/** One chart, its left edge at `x`: a logarithmic y axis, since 1 KiB and 1 MiB are two powers of ten apart. */
function chart(x: number, title: string, labels: string[], lines: Line[]): string {
  const all = lines.flatMap(({ values }) => values);
  const low = Math.floor(Math.log10(Math.min(...all)));
  const high = Math.ceil(Math.log10(Math.max(...all)));
  const px = (index: number): number => LEFT + (index * WIDTH) / (labels.length - 1);
  const py = (value: number): number => TOP + HEIGHT - ((Math.log10(value) - low) / (high - low)) * HEIGHT;
  const parts = [`<text class="title" x="${LEFT}" y="24">${title}</text>`];
  for (let power = low; power <= high; power++) {
    const y = py(10 ** power);
    parts.push(`<line class="grid" x1="${LEFT}" x2="${LEFT + WIDTH}" y1="${y}" y2="${y}"/>`);
    parts.push(`<text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${10 ** power}</text>`);
  }
  for (const [index, label] of labels.entries()) {
    parts.push(`<text x="${px(index)}" y="${TOP + HEIGHT + 20}" text-anchor="middle">${label}</text>`);
  }
  for (const { name, values } of lines) {
    const points = values.map((value, index) => `${px(index).toFixed(1)},${py(value).toFixed(1)}`);
    parts.push(`<polyline class="${name}" points="${points.join(' ')}"/>`);
    for (const point of points) {
      const [cx, cy] = point.split(',');
      parts.push(`<circle class="${name}" cx="${cx}" cy="${cy}" r="3.5"/>`);
    }
  }
  for (const [index, { name }] of lines.entries()) {
    const y = TOP + HEIGHT - 14 - 18 * (lines.length - 1 - index);
    parts.push(`<circle class="${name}" cx="${LEFT + WIDTH - 62}" cy="${y - 4}" r="4"/>`);
    parts.push(`<text x="${LEFT + WIDTH - 52}" y="${y}">${name === 'ours' ? 'Workswap' : name}</text>`);
  }
  return `<g transform="translate(${x} 0)">${parts.join('')}</g>`;
}

function svg(content: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 950 330" font-family="system-ui, sans-serif" font-size="12">
<style>
text { fill: #333 } .title { font-size: 14px } .grid { stroke: #8884 }
polyline { fill: none; stroke-width: 2.5 }
polyline.ours { stroke: #0a7 } circle.ours { fill: #0a7 }
polyline.helia { stroke: #d60 } circle.helia { fill: #d60 }
@media (prefers-color-scheme: dark) { text { fill: #ccc } }
</style>
${content}
</svg>
`;
}
