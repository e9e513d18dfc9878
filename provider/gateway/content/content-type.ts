import { lookup } from 'mrmime';

const MAGIC: [prefix: number[], type: string][] = [
  [[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], 'image/png'],
  [[0xff, 0xd8, 0xff], 'image/jpeg'],
  [[0x47, 0x49, 0x46, 0x38], 'image/gif'],
  [[0x25, 0x50, 0x44, 0x46, 0x2d], 'application/pdf'],
  [[0x00, 0x61, 0x73, 0x6d], 'application/wasm'],
  [[0x50, 0x4b, 0x03, 0x04], 'application/zip'],
  [[0x1f, 0x8b, 0x08], 'application/gzip'],
  [[0x4f, 0x67, 0x67, 0x53], 'application/ogg'],
  [[0x49, 0x44, 0x33], 'audio/mpeg'],
  [[0x66, 0x4c, 0x61, 0x43], 'audio/flac'],
  [[0x1a, 0x45, 0xdf, 0xa3], 'video/webm'],
  [[0x77, 0x4f, 0x46, 0x32], 'font/woff2'],
];

/** By the name's extension; undefined when it says nothing. */
export function typeOfName(name: string): string | undefined {
  const at = name.lastIndexOf('.');
  const type = at < 0 ? undefined : lookup(name.slice(at + 1));
  return type === undefined ? undefined : withCharset(type);
}

/** By the first bytes. What a browser could run is only said of what begins like it. */
export function sniffType(bytes: Uint8Array): string {
  for (const [prefix, type] of MAGIC) if (prefix.every((byte, i) => bytes[i] === byte)) return type;
  const head = Buffer.from(bytes).toString('latin1', 0, 16);
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP') return 'image/webp';
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WAVE') return 'audio/wav';
  if (head.slice(4, 8) === 'ftyp') return 'video/mp4';
  const text = textOf(bytes);
  if (text === undefined) return 'application/octet-stream';
  const start = text.trimStart().slice(0, 256).toLowerCase();
  if (/^<(?:!doctype html|html|head|body)[\s>]/.test(start)) return 'text/html; charset=utf-8';
  if (/^(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<svg[\s>]/s.test(start)) return 'image/svg+xml';
  if (start.startsWith('<?xml')) return 'text/xml; charset=utf-8';
  return 'text/plain; charset=utf-8';
}

function textOf(bytes: Uint8Array): string | undefined {
  for (const byte of bytes) if (byte < 9 || (byte > 13 && byte < 27) || (byte > 27 && byte < 32)) return undefined;
  try {
    // The last character may be cut in two.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return undefined;
  }
}

export function withCharset(type: string): string {
  return type.startsWith('text/') && !type.includes('charset') ? `${type}; charset=utf-8` : type;
}
