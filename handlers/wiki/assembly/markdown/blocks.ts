import { SPACE, isDigit, trimmed, unitAt } from './characters';
import {
  CODE_INDENT,
  alignmentsOf,
  cellsOf,
  closesFence,
  fenceLength,
  headingLevel,
  headingText,
  indentOf,
  isBlank,
  isQuote,
  isRule,
  markerEnd,
  underlineLevel,
} from './lines';
import { unescape } from './links';
import { joinLines } from './text-builder';

/** Quotes and lists in one another; what is deeper stays text. */
const DEPTH_MAX: i32 = 16;

export const PARAGRAPH: i32 = 0;
export const HEADING: i32 = 1;
export const CODE: i32 = 2;
export const RULE: i32 = 3;
export const QUOTE: i32 = 4;
export const LIST: i32 = 5;
export const ITEM: i32 = 6;
export const TABLE: i32 = 7;

export class Block {
  children: Block[] = [];
  /** What is left to be read as inline text; of code, the code. */
  text: string = '';
  /** Of a heading. */
  level: i32 = 0;
  /** Of fenced code. */
  language: string = '';
  /** Of a numbered list its first number, else -1. */
  start: i32 = -1;
  /** Of a list: its items are set apart, as paragraphs. */
  isLoose: bool = false;
  /** Whether a blank line stands before it. */
  isApart: bool = false;
  /** Of a table. */
  rows: Array<string[]> = [];
  alignments: i32[] = [];

  constructor(public kind: i32) {}
}

/** The blocks that lines are made of (CommonMark 0.31, but without HTML and link definitions; tables as GitHub has them). */
export class BlockParser {
  private at: i32 = 0;
  private blocks: Block[] = [];

  private constructor(
    private lines: string[],
    private depth: i32,
  ) {}

  static parse(lines: string[], depth: i32 = 0): Block[] {
    const parser = new BlockParser(lines, depth);
    let isApart = false;
    while (parser.at < lines.length) {
      if (isBlank(lines[parser.at])) {
        isApart = true;
        parser.at++;
        continue;
      }
      const block = parser.next();
      block.isApart = isApart;
      isApart = parser.at > 0 && isBlank(lines[parser.at - 1]);
      parser.blocks.push(block);
    }
    return parser.blocks;
  }

  private next(): Block {
    const line = this.lines[this.at];
    if (indentOf(line) >= CODE_INDENT) return this.indentedCode();
    const level = headingLevel(line);
    if (level > 0) {
      this.at++;
      return heading(level, headingText(line, level));
    }
    if (fenceLength(line) > 0) return this.fencedCode();
    if (isRule(line)) {
      this.at++;
      return new Block(RULE);
    }
    if (this.depth < DEPTH_MAX) {
      if (isQuote(line)) return this.quote();
      if (markerEnd(line) > 0) return this.list();
    }
    return this.paragraph();
  }

  private indentedCode(): Block {
    const block = new Block(CODE);
    const code = new Array<string>();
    let filled = 0;
    for (; this.at < this.lines.length; this.at++) {
      const line = this.lines[this.at];
      if (!isBlank(line) && indentOf(line) < CODE_INDENT) break;
      code.push(line.substring(CODE_INDENT));
      if (!isBlank(line)) filled = code.length;
    }
    // Blank lines behind the code are not part of it.
    this.at -= code.length - filled;
    block.text = joinLines(code, filled) + '\n';
    return block;
  }

  private fencedCode(): Block {
    const first = this.lines[this.at++];
    const indent = indentOf(first);
    const unit = unitAt(first, indent);
    const length = fenceLength(first);
    const block = new Block(CODE);
    block.language = unescape(trimmed(first.substring(indent + length)).split(' ')[0]);
    const code = new Array<string>();
    while (this.at < this.lines.length) {
      const line = this.lines[this.at++];
      if (closesFence(line, unit, length)) break;
      code.push(line.substring(min(indent, indentOf(line))));
    }
    block.text = code.length > 0 ? joinLines(code) + '\n' : '';
    return block;
  }

  private quote(): Block {
    const inner = new Array<string>();
    const text = new OpenText();
    for (; this.at < this.lines.length; this.at++) {
      const line = this.lines[this.at];
      if (isQuote(line)) {
        const start = indentOf(line) + 1;
        inner.push(line.substring(unitAt(line, start) == SPACE ? start + 1 : start));
      } else if (!isBlank(line) && text.isOpen && !interrupts(line)) {
        // A paragraph may go on without its mark.
        inner.push(line);
      } else break;
      text.add(inner[inner.length - 1]);
    }
    const block = new Block(QUOTE);
    block.children = BlockParser.parse(inner, this.depth + 1);
    return block;
  }

  private list(): Block {
    const list = new Block(LIST);
    const first = this.lines[this.at];
    const delimiter = unitAt(first, markerEnd(first) - 1);
    if (isDigit(unitAt(first, indentOf(first)))) {
      list.start = I32.parseInt(first.substring(indentOf(first), markerEnd(first) - 1));
    }
    let isApart = false;
    while (this.at < this.lines.length) {
      const line = this.lines[this.at];
      if (isBlank(line)) {
        isApart = true;
        this.at++;
        continue;
      }
      const end = markerEnd(line);
      if (end == 0 || unitAt(line, end - 1) != delimiter) break;
      const item = this.item(line, end);
      if (isApart && list.children.length > 0) list.isLoose = true;
      isApart = isBlank(this.lines[this.at - 1]);
      for (let i = 1; i < item.children.length; i++) if (item.children[i].isApart) list.isLoose = true;
      list.children.push(item);
    }
    return list;
  }

  private item(first: string, end: i32): Block {
    const rest = first.substring(end);
    const gap = indentOf(rest);
    // Content begins behind the marker's spaces; more than four of them are one and code, and none is an empty line.
    const isEmpty = isBlank(rest);
    const offset = isEmpty || gap > CODE_INDENT ? end + 1 : end + gap;
    const inner: string[] = [isEmpty ? '' : first.substring(offset)];
    const text = new OpenText();
    text.add(inner[0]);
    this.at++;
    for (; this.at < this.lines.length; this.at++) {
      const line = this.lines[this.at];
      if (isBlank(line)) {
        // An item may begin with one blank line, but not with two.
        if (isEmpty && inner.length == 1) break;
        inner.push('');
      } else if (indentOf(line) >= offset) {
        inner.push(line.substring(offset));
      } else if (text.isOpen && !interrupts(line) && markerEnd(line) == 0) {
        inner.push(line);
      } else break;
      text.add(inner[inner.length - 1]);
    }
    const block = new Block(ITEM);
    block.children = BlockParser.parse(inner, this.depth + 1);
    return block;
  }

  private paragraph(): Block {
    const text: string[] = [this.lines[this.at++].trimStart()];
    while (this.at < this.lines.length) {
      const line = this.lines[this.at];
      if (isBlank(line)) break;
      if (text.length == 1) {
        const alignments = alignmentsOf(line);
        if (alignments !== null && cellsOf(text[0]).length == alignments.length) return this.table(text[0], alignments);
      }
      const level = underlineLevel(line);
      if (level > 0) {
        this.at++;
        return heading(level, trimmed(joinLines(text)));
      }
      if (interrupts(line)) break;
      text.push(line.trimStart());
      this.at++;
    }
    const block = new Block(PARAGRAPH);
    block.text = joinLines(text).trimEnd();
    return block;
  }

  private table(head: string, alignments: i32[]): Block {
    const block = new Block(TABLE);
    block.alignments = alignments;
    block.rows.push(cellsOf(head));
    this.at++;
    for (; this.at < this.lines.length; this.at++) {
      const line = this.lines[this.at];
      if (isBlank(line) || interrupts(line)) break;
      block.rows.push(cellsOf(line));
    }
    return block;
  }
}

function heading(level: i32, text: string): Block {
  const block = new Block(HEADING);
  block.level = level;
  block.text = text;
  return block;
}

/** Whether the line begins another block although a paragraph stands before it. */
function interrupts(line: string): bool {
  if (indentOf(line) >= CODE_INDENT) return false;
  if (headingLevel(line) > 0 || fenceLength(line) > 0 || isRule(line) || isQuote(line)) return true;
  const end = markerEnd(line);
  if (end == 0 || isBlank(line.substring(end))) return false;
  const start = indentOf(line);
  // A number at the beginning of a line of text is a list only where it is 1.
  return !isDigit(unitAt(line, start)) || line.substring(start, end - 1) == '1';
}

/** Follows lines to know whether they end in a paragraph, so that an unmarked line can go on with it. */
class OpenText {
  isOpen: bool = false;
  private fence: i32 = 0;
  private fenceUnit: i32 = 0;

  add(line: string): void {
    if (this.fence > 0) {
      if (closesFence(line, this.fenceUnit, this.fence)) this.fence = 0;
      return;
    }
    this.fence = fenceLength(line);
    if (this.fence > 0) {
      this.fenceUnit = unitAt(line, indentOf(line));
      this.isOpen = false;
    } else if (isBlank(line) || headingLevel(line) > 0 || isRule(line)) {
      this.isOpen = false;
    } else if (indentOf(line) < CODE_INDENT) {
      // Indented lines are code, unless a paragraph stands before them: they leave it as it is.
      this.isOpen = true;
    }
  }
}
