import path from 'node:path';
import type { Sources } from './cache.ts';
import type { Diagnostic } from './errors.ts';

/**
 * What the compiler said as people read it: place, severity, code and message on one line that editors and terminals
 * make a link of, then the line of source with a mark below the place.
 */
export function formatDiagnostics(diagnostics: readonly Diagnostic[], sources: Sources): string {
  return diagnostics.map((diagnostic) => format(diagnostic, sources)).join('\n');
}

function format({ severity, code, message, file, line, column }: Diagnostic, sources: Sources): string {
  const place = [file === undefined ? undefined : shorten(file), line, column].filter((part) => part !== undefined);
  const head = `${place.length === 0 ? '' : `${place.join(':')} - `}${severity} ${code}: ${message}`;
  const text = file === undefined || line === undefined ? undefined : sources.get(file)?.split('\n')[line - 1];
  if (text === undefined || column === undefined) return head;
  const gutter = `${line} | `;
  const before = text.slice(0, column - 1).replace(/[^\t]/g, ' ');
  return `${head}\n  ${gutter}${text.trimEnd()}\n  ${' '.repeat(gutter.length)}${before}^`;
}

function shorten(file: string): string {
  if (!path.isAbsolute(file)) return file;
  const relative = path.relative(process.cwd(), file);
  return relative.startsWith('..') ? file : relative;
}
