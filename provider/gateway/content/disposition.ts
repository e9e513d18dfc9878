import { encodeSegment } from './path.ts';

/** A Content-Disposition header, with the name in ASCII, and in UTF-8 where that differs (RFC 6266). */
export function disposition(kind: 'inline' | 'attachment', filename: string | undefined): string {
  if (filename === undefined) return kind;
  const ascii = filename.replaceAll(/[^\x20-\x7e]|["\\%]/g, '_');
  const header = `${kind}; filename="${ascii}"`;
  return ascii === filename ? header : `${header}; filename*=UTF-8''${encodeSegment(filename)}`;
}
