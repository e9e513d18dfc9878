import { escapeHtml } from 'workswap';
import { BlockParser, Block, CODE, HEADING, LIST, PARAGRAPH, QUOTE, RULE, TABLE } from './blocks';
import { Inline } from './inline';
import { linesOf } from './lines';
import { TextBuilder } from './text-builder';
import { WikiLinks } from './wiki-links';

/** Markdown to HTML. Whatever the text, the HTML has only tags made here, and links that are safe to follow. */
export class Markdown {
  private out: TextBuilder = new TextBuilder();

  private constructor(
    private wiki: WikiLinks,
    /** Added to the level of each heading, so that those of a page stand below its title. */
    private headingShift: i32,
  ) {}

  static render(text: string, wiki: WikiLinks, headingShift: i32 = 0): string {
    const markdown = new Markdown(wiki, headingShift);
    markdown.blocks(BlockParser.parse(linesOf(text)), false);
    return markdown.out.toString();
  }

  private blocks(blocks: Block[], isTight: bool): void {
    for (let i = 0; i < blocks.length; i++) this.block(blocks[i], isTight, i == blocks.length - 1);
  }

  private block(block: Block, isTight: bool, isLast: bool): void {
    const out = this.out;
    switch (block.kind) {
      case PARAGRAPH:
        if (!isTight) out.add('<p>');
        this.inline(block.text);
        if (!isTight) out.add('</p>\n');
        else if (!isLast) out.add('\n');
        break;
      case HEADING: {
        const tag = 'h' + min(6, block.level + this.headingShift).toString() + '>';
        out.add('<' + tag);
        this.inline(block.text);
        out.add('</' + tag + '\n');
        break;
      }
      case CODE:
        out.add(
          block.language.length > 0 ? '<pre><code class="language-' + escapeHtml(block.language) + '">' : '<pre><code>',
        );
        out.add(escapeHtml(block.text)).add('</code></pre>\n');
        break;
      case RULE:
        out.add('<hr />\n');
        break;
      case QUOTE:
        out.add('<blockquote>\n');
        this.blocks(block.children, false);
        out.add('</blockquote>\n');
        break;
      case LIST:
        this.list(block);
        break;
      case TABLE:
        this.table(block);
        break;
      default:
        break;
    }
  }

  private list(list: Block): void {
    const tag = list.start < 0 ? 'ul' : 'ol';
    this.out
      .add('<' + tag)
      .add(list.start < 0 || list.start == 1 ? '>\n' : ' start="' + list.start.toString() + '">\n');
    for (let i = 0; i < list.children.length; i++) {
      const children = list.children[i].children;
      this.out.add('<li>');
      if (children.length > 0 && (list.isLoose || children[0].kind != PARAGRAPH)) this.out.add('\n');
      this.blocks(children, !list.isLoose);
      this.out.add('</li>\n');
    }
    this.out.add('</' + tag + '>\n');
  }

  private table(table: Block): void {
    const out = this.out;
    out.add('<table>\n<thead>\n');
    this.row(table, table.rows[0], 'th');
    out.add('</thead>\n');
    if (table.rows.length > 1) {
      out.add('<tbody>\n');
      for (let i = 1; i < table.rows.length; i++) this.row(table, table.rows[i], 'td');
      out.add('</tbody>\n');
    }
    out.add('</table>\n');
  }

  /** A row has as many cells as the head: what is missing is empty, and what is too much is dropped. */
  private row(table: Block, cells: string[], tag: string): void {
    this.out.add('<tr>\n');
    for (let i = 0; i < table.alignments.length; i++) {
      const alignment = table.alignments[i];
      this.out.add(
        '<' +
          tag +
          (alignment == 0
            ? '>'
            : alignment == 1
              ? ' align="left">'
              : alignment == 2
                ? ' align="right">'
                : ' align="center">'),
      );
      if (i < cells.length) this.inline(cells[i]);
      this.out.add('</' + tag + '>\n');
    }
    this.out.add('</tr>\n');
  }

  private inline(text: string): void {
    Inline.render(text, this.wiki, this.out);
  }
}
