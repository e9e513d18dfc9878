/** What is looked at of a source as the compiler has parsed it. */
export interface ParsedSource {
  normalizedPath: string;
  statements: ParsedStatement[];
}

interface ParsedStatement {
  /** Of a declaration. */
  name?: { text: string };
  flags?: number;
  /** Of `export { a, b as c }`. */
  members?: { exportedName?: { text: string } }[] | null;
}

/** The compiler's flag of a declaration behind `export`. */
const EXPORT = 2;

/** Whether a file exports a name: by a declaration, or in a list. */
export function exportsName({ statements }: ParsedSource, name: string): boolean {
  return statements.some(
    ({ name: declared, flags = 0, members }) =>
      (declared?.text === name && (flags & EXPORT) !== 0) ||
      (members ?? []).some(({ exportedName }) => exportedName?.text === name),
  );
}
