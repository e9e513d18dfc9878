export const $ = (id) => document.getElementById(id);
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function bytes(value) {
  let size = Math.abs(value);
  let unit = 0;
  for (; size >= 1000 && unit < UNITS.length - 1; unit++) size /= 1024;
  return `${value < 0 ? '−' : ''}${size.toFixed(unit === 0 || size >= 100 ? 0 : 1)} ${UNITS[unit]}`;
}

export const count = (value) => Math.round(value).toLocaleString('en');
export const rate = (value) => (value < 10 && !Number.isInteger(value) ? value.toFixed(1) : count(value));
/** The two ends of an identifier. */
export const short = (text) => (text.length > 14 ? `${text.slice(0, 4)}…${text.slice(-8)}` : text);
export const ago = (ms) => {
  const seconds = Math.max(0, Math.round((Date.now() - ms) / 1000));
  if (seconds < 90) return `${seconds} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h ago` : `${Math.round(seconds / 86_400)} days ago`;
};

/** Text only, ever: paths and error messages come from strangers. */
export function element(name, { text, ...attributes } = {}, children = []) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export const id = (text) => element('code', { text: short(text), title: text });

/** A peer, and whether it is connected. */
export const peerName = ({ peer, connected }) =>
  element('span', {}, [id(peer), connected ? element('span', { text: ' ●', class: 'ok', title: 'connected' }) : '']);

/** @param columns [head, (row) => text or element, is a number?] */
export function table(target, columns, rows, none) {
  const cell = (name, attributes, number, content) =>
    element(name, number ? { ...attributes, class: 'number' } : attributes, [content]);
  const line = (cells) => element('tr', {}, cells);
  const head = element('thead', {}, [
    line(columns.map(([title, , number]) => cell('th', { scope: 'col' }, number, title))),
  ]);
  // On a phone every row is a card, in which the heads stand before the values.
  const lines = rows.map((row) =>
    line(columns.map(([title, of, number]) => cell('td', { 'data-head': title }, number, of(row)))),
  );
  if (lines.length === 0) {
    lines.push(element('tr', {}, [element('td', { text: none, class: 'none', colspan: String(columns.length) })]));
  }
  $(target).replaceChildren(head, element('tbody', {}, lines));
}

/** @param all [name, value, note] of each */
export function showTiles(target, all) {
  $(target).replaceChildren(
    ...all.map(([name, value, note]) =>
      element('dl', { class: 'tile' }, [
        element('dt', { text: name }),
        element('dd', {}, [value, ...(note === '' ? [] : [element('small', { text: note })])]),
      ]),
    ),
  );
}
