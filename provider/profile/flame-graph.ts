import type { FlameNode, Profile } from './profile.ts';

const WIDTH = 1200;
const MARGIN = 10;
const ROW = 18;
const HEAD = 58;
/** Chains deeper than this are cut, and the last frame says so. */
const ROWS_MAX = 100;
/** Frames narrower than this cannot be seen, nor pointed at. */
const NARROWEST = 0.4;
/** Of the font that all systems have, at 11 pixels; a little more than it is. */
const CHARACTER_WIDTH = 6.7;

interface Frame {
  node: FlameNode;
  x: number;
  row: number;
  width: number;
}

/**
 * The profile as an SVG that needs nothing else: callers above, callees below, widths are fuel. Hovering over a frame
 * shows its figures. It follows the reader's light or dark scheme.
 */
export function flameGraph({ tree, fuel }: Profile, title: string): string {
  const frames: Frame[] = [];
  const scale = (WIDTH - 2 * MARGIN) / Math.max(1, tree.total);
  layOut(tree, MARGIN, scale, frames);
  const rows = frames.reduce((most, { row }) => Math.max(most, row + 1), 1);
  const height = HEAD + rows * ROW + MARGIN;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="11">
<style>
  .page { fill: #ffffff } .word { fill: #1f2328 } .quiet { fill: #59636e }
  .own rect { fill: #ffb46b } .library rect { fill: #a9c8f5 } .host rect { fill: #a5dba8 } .root rect { fill: #d6dae0 }
  rect { stroke: #ffffff; stroke-width: 0.6 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #14181d } .word { fill: #eef1f4 } .quiet { fill: #9ba5b0 }
    .own rect { fill: #a4561a } .library rect { fill: #2f558c } .host rect { fill: #2f6b38 } .root rect { fill: #3a424c }
    rect { stroke: #14181d }
  }
  text { pointer-events: none } g:hover rect { stroke: #8c959f; stroke-width: 2 }
</style>
<rect class="page" width="${WIDTH}" height="${height}" stroke="none"/>
<text class="word" x="${MARGIN}" y="22" font-size="15">${escapeXml(title)}</text>
<text class="quiet" x="${MARGIN}" y="42">${fuel.toLocaleString('en-US')} fuel, callers above callees. Orange: the handler, blue: libraries, green: the host.</text>
${frames.map((frame) => frameXml(frame, fuel)).join('\n')}
</svg>
`;
}

function layOut(root: FlameNode, left: number, scale: number, frames: Frame[]): void {
  const work: Frame[] = [{ node: root, x: left, row: 0, width: root.total * scale }];
  for (const frame of work) {
    frames.push(frame);
    if (frame.row + 1 === ROWS_MAX) continue;
    let { x } = frame;
    // The dearest first: what matters stands to the left.
    for (const node of frame.node.children.toSorted((a, b) => b.total - a.total)) {
      const width = node.total * scale;
      if (width >= NARROWEST) work.push({ node, x, row: frame.row + 1, width });
      x += width;
    }
  }
}

function frameXml({ node, x, row, width }: Frame, fuel: number): string {
  const y = HEAD + row * ROW;
  const cut = row + 1 === ROWS_MAX && node.children.length > 0;
  const name = cut ? `${node.name} and deeper calls` : node.name;
  const percent = ((node.total / Math.max(1, fuel)) * 100).toFixed(1);
  const figures = `${node.total.toLocaleString('en-US')} fuel (${percent}%), ${node.self.toLocaleString('en-US')} by itself`;
  const room = Math.floor((width - 6) / CHARACTER_WIDTH);
  const label =
    room < 3 ? '' : `<text class="word" x="${fixed(x + 3)}" y="${y + 13}">${escapeXml(fitted(name, room))}</text>`;
  return `<g class="${kindOf(node, row)}"><title>${escapeXml(`${name}: ${figures}`)}</title><rect x="${fixed(x)}" y="${y}" width="${fixed(width)}" height="${ROW - 1}"/>${label}</g>`;
}

function kindOf({ name }: FlameNode, row: number): string {
  if (row === 0) return 'root';
  if (name.startsWith('host ')) return 'host';
  return name.startsWith('~lib/') ? 'library' : 'own';
}

function fitted(name: string, room: number): string {
  if (name.length <= room) return name;
  // The end of a path says more than its beginning.
  const short = name.slice(name.lastIndexOf('/') + 1);
  return short.length <= room ? short : `${short.slice(0, room - 1)}…`;
}

function fixed(value: number): string {
  return value.toFixed(1).replace(/\.0$/, '');
}

/** What a module calls its functions may hold anything; control characters are not even allowed in XML. */
function escapeXml(text: string): string {
  return text
    .replace(/\p{Cc}|[\ud800-\udfff](?![\udc00-\udfff])|[\ufffe\uffff]/gu, '?')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;');
}
