import { BACKTICK, SPACE, TAB, isDigit, isSpace, runLength, trimmed, unitAt } from './characters';

/** Columns from which a line is code, or belongs to what stands before it. */
export const CODE_INDENT: i32 = 4;
const ORDINAL_DIGITS_MAX: i32 = 9;

/** The lines of a text, with tabs at their beginning made spaces and without NUL. */
export function linesOf(text: string): string[] {
  const lines = text.replaceAll('\0', '\ufffd').replaceAll('\r\n', '\n').replaceAll('\r', '\n').split('\n');
  // A line's end is no line.
  if (lines[lines.length - 1].length == 0) lines.pop();
  for (let i = 0; i < lines.length; i++) lines[i] = expandTabs(lines[i]);
  return lines;
}

function expandTabs(line: string): string {
  let at = 0;
  let columns = 0;
  let hasTab = false;
  for (; at < line.length; at++) {
    const unit = line.charCodeAt(at);
    if (unit == TAB) {
      columns += 4 - (columns & 3);
      hasTab = true;
    } else if (unit == SPACE) columns++;
    else break;
  }
  return hasTab ? ' '.repeat(columns) + line.substring(at) : line;
}

export function indentOf(line: string): i32 {
  let at = 0;
  while (at < line.length && line.charCodeAt(at) == SPACE) at++;
  return at;
}

export function isBlank(line: string): bool {
  for (let i = 0; i < line.length; i++) if (!isSpace(line.charCodeAt(i))) return false;
  return true;
}

/** Three or more of one of `*`, `-`, `_`, and nothing else but spaces. */
export function isRule(line: string): bool {
  const start = indentOf(line);
  const unit = unitAt(line, start);
  if (start >= CODE_INDENT || (unit != 0x2a && unit != 0x2d && unit != 0x5f)) return false;
  let count = 0;
  for (let i = start; i < line.length; i++) {
    const other = line.charCodeAt(i);
    if (other == unit) count++;
    else if (!isSpace(other)) return false;
  }
  return count >= 3;
}

/** The level of a heading that begins with `#`; 0 for other lines. */
export function headingLevel(line: string): i32 {
  const start = indentOf(line);
  if (start >= CODE_INDENT || unitAt(line, start) != 0x23) return 0;
  const level = runLength(line, start);
  return level <= 6 && isSpace(unitAt(line, start + level)) ? level : 0;
}

/** What stands in such a heading, without the `#`s that may end it. */
export function headingText(line: string, level: i32): string {
  const text = trimmed(line.substring(indentOf(line) + level));
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) == 0x23) end--;
  return end == 0 || isSpace(unitAt(text, end - 1)) ? text.substring(0, end).trimEnd() : text;
}

/** The level that a line under a paragraph makes it a heading of: 1 for `===`, 2 for `---`; 0 for other lines. */
export function underlineLevel(line: string): i32 {
  const start = indentOf(line);
  const unit = unitAt(line, start);
  if (start >= CODE_INDENT || (unit != 0x3d && unit != 0x2d)) return 0;
  return isBlank(line.substring(start + runLength(line, start))) ? (unit == 0x3d ? 1 : 2) : 0;
}

/** How many backticks or tildes open fenced code here; 0 where none does. */
export function fenceLength(line: string): i32 {
  const start = indentOf(line);
  const unit = unitAt(line, start);
  if (start >= CODE_INDENT || (unit != BACKTICK && unit != 0x7e)) return 0;
  const length = runLength(line, start);
  if (length < 3 || (unit == BACKTICK && line.includes('`', start + length))) return 0;
  return length;
}

/** Whether the line ends code that was opened by `length` of `unit`. */
export function closesFence(line: string, unit: i32, length: i32): bool {
  const start = indentOf(line);
  if (start >= CODE_INDENT || unitAt(line, start) != unit) return false;
  const run = runLength(line, start);
  return run >= length && isBlank(line.substring(start + run));
}

export function isQuote(line: string): bool {
  const start = indentOf(line);
  return start < CODE_INDENT && unitAt(line, start) == 0x3e;
}

/** Where a list item's marker ends; 0 for lines that begin no item. */
export function markerEnd(line: string): i32 {
  const start = indentOf(line);
  if (start >= CODE_INDENT || isRule(line)) return 0;
  const unit = unitAt(line, start);
  let end = start;
  if (unit == 0x2d || unit == 0x2a || unit == 0x2b) {
    end++;
  } else {
    while (isDigit(unitAt(line, end))) end++;
    const delimiter = unitAt(line, end);
    if (end == start || end - start > ORDINAL_DIGITS_MAX || (delimiter != 0x2e && delimiter != 0x29)) return 0;
    end++;
  }
  const behind = unitAt(line, end);
  return behind == SPACE || behind == TAB || behind == -1 ? end : 0;
}

/** The cells of a table's row. */
export function cellsOf(line: string): string[] {
  const text = trimmed(line);
  const cells = new Array<string>();
  let start = unitAt(text, 0) == 0x7c ? 1 : 0;
  for (let i = start; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit == 0x5c) i++;
    else if (unit == 0x7c) {
      cells.push(trimmed(text.substring(start, i)).replaceAll('\\|', '|'));
      start = i + 1;
    }
  }
  if (start < text.length) cells.push(trimmed(text.substring(start)).replaceAll('\\|', '|'));
  return cells;
}

/** The row of dashes under a table's head: for each column 0, or 1 left, 2 right, 3 centred. Null for other lines. */
export function alignmentsOf(line: string): i32[] | null {
  if (indentOf(line) >= CODE_INDENT || !line.includes('-') || !(line.includes('|') || line.includes(':'))) return null;
  const cells = cellsOf(line);
  const alignments = new Array<i32>();
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i];
    const left = i32(unitAt(cell, 0) == 0x3a);
    const dashes = runLength(cell, left);
    if (unitAt(cell, left) != 0x2d) return null;
    const right = i32(unitAt(cell, left + dashes) == 0x3a);
    if (left + dashes + right != cell.length) return null;
    alignments.push(left | (right << 1));
  }
  return alignments;
}
