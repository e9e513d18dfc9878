export interface TarEntry {
  type: 'file' | 'directory' | 'symlink';
  name: string;
  size: number;
  mode: number;
  mtimeSecs: number;
  /** Of a symlink. */
  target?: string;
}

const BLOCK_BYTES = 512;
const NAME_BYTES_MAX = 100;
const FLAGS = { file: '0', symlink: '2', directory: '5', extended: 'x' } as const;
/** The largest of a field: eleven octal digits. */
const NUMBER_MAX = 0o77777777777;

export const TAR_END = new Uint8Array(2 * BLOCK_BYTES);

export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES);
}

/** The header of an entry in the ustar format, with a pax header before it for what has no room there (POSIX.1-2001). */
export function tarHeader({ type, name, target = '', size, mode, mtimeSecs }: TarEntry): Uint8Array {
  const records = [
    ...(fits(name) ? [] : [record('path', name)]),
    ...(fits(target) ? [] : [record('linkpath', target)]),
    ...(size <= NUMBER_MAX ? [] : [record('size', String(size))]),
    ...(mtimeSecs <= NUMBER_MAX ? [] : [record('mtime', String(mtimeSecs))]),
  ];
  const fields = { name, target, size, mode, mtimeSecs };
  const own = ustar(FLAGS[type], fields);
  if (records.length === 0) return own;
  const extended = Buffer.concat(records);
  const before = ustar(FLAGS.extended, { name: 'pax', target: '', size: extended.length, mode: 0o644, mtimeSecs: 0 });
  return Buffer.concat([before, extended, tarPadding(extended.length), own]);
}

function fits(text: string): boolean {
  return text.length <= NAME_BYTES_MAX && /^[\x20-\x7e]*$/.test(text);
}

/** `LENGTH KEY=VALUE\n`, where the length counts itself. */
function record(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.length;
  while (length !== rest.length + String(length).length) length = rest.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function ustar(
  flag: string,
  { name, target, size, mode, mtimeSecs }: Omit<TarEntry, 'type'> & { target: string },
): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, digits: number, at: number): void => {
    const largest = 8 ** digits - 1;
    header.write(Math.min(value, largest).toString(8).padStart(digits, '0'), at, 'latin1');
  };
  const short = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, '_').slice(0, NAME_BYTES_MAX);
  header.write(short(name), 0, 'latin1');
  octal(mode, 7, 100);
  octal(0, 7, 108);
  octal(0, 7, 116);
  octal(size, 11, 124);
  octal(mtimeSecs, 11, 136);
  header.write(flag, 156, 'latin1');
  header.write(short(target), 157, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  // The sum is taken with blanks in its own place.
  header.fill(' ', 148, 156);
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}
