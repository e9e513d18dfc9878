import { escapeHtml } from 'workswap';
import {
  BACKSLASH,
  BACKTICK,
  NEWLINE,
  SPACE,
  isAsciiPunctuation,
  isDigit,
  isLetter,
  isPunctuation,
  isSpace,
  runLength,
  trimmed,
  unitAt,
} from './characters';
import { LinkTarget, autolinkEnd, isNear, isSafe, plainAddressEnd } from './links';
import { TextBuilder } from './text-builder';
import { WikiLinks } from './wiki-links';

/** Runs of backticks that are told apart when none of their length follows any more. */
const BACKTICKS_MAX: i32 = 64;
/** Longer runs of stars are text: nobody means so many tags. */
const RUN_MAX: i32 = 64;
const ENTITY_MAX: i32 = 32;
const PAGE_NAME_MAX: i32 = 200;

/** A run of `*`, `_` or `~~` that may open or close emphasis, or a bracket that may open a link. */
class Delimiter {
  /** What it became: tags that close before what is left of the run, and tags that open behind it. */
  closing: string = '';
  opening: string = '';
  previous: Delimiter | null = null;
  next: Delimiter | null = null;
  isActive: bool = true;

  constructor(
    public part: i32,
    public unit: i32,
    public count: i32,
    public canOpen: bool,
    public canClose: bool,
    /** Units in the source, for the rule of three. */
    public length: i32,
    /** Of a bracket, where its text begins; and whether it is a picture's. */
    public at: i32,
    public isImage: bool,
  ) {}
}

/** Inline Markdown to HTML: emphasis, code, links, pictures, addresses, line breaks, escapes. HTML is text. */
export class Inline {
  /** HTML in pieces, what each says as plain text, and the run that stands in a piece's place. */
  private parts: string[] = [];
  private plain: string[] = [];
  private runs: Array<Delimiter | null> = [];
  private last: Delimiter | null = null;
  private noBackticks: StaticArray<bool> = new StaticArray<bool>(BACKTICKS_MAX + 1);
  private at: i32 = 0;
  /** Where the text begins that is not yet a part, and where what is being read begins. */
  private textStart: i32 = 0;
  private specialAt: i32 = 0;

  private constructor(
    private text: string,
    private wiki: WikiLinks,
  ) {}

  static render(text: string, wiki: WikiLinks, into: TextBuilder): void {
    const inline = new Inline(text, wiki);
    inline.read();
    inline.matchRuns(null);
    for (let i = 0; i < inline.parts.length; i++) {
      const run = inline.runs[i];
      if (run === null) into.add(inline.parts[i]);
      else into.add(run.closing).add(inline.parts[i].substring(0, run.count)).add(run.opening);
    }
  }

  private push(html: string, plain: string): void {
    this.flush();
    this.add(html, plain);
  }

  private pushText(text: string): void {
    this.push(escapeHtml(text), text);
  }

  private add(html: string, plain: string): void {
    this.parts.push(html);
    this.plain.push(plain);
    this.runs.push(null);
  }

  /** Adds the text that stands before what is being read: only now, when it is known to be more than text. */
  private flush(): void {
    const start = this.textStart;
    this.textStart = this.specialAt;
    if (start < this.specialAt) {
      const text = this.text.substring(start, this.specialAt);
      this.add(escapeHtml(text), text);
    }
  }

  private read(): void {
    const text = this.text;
    while (this.at < text.length) {
      const at = this.at;
      const unit = text.charCodeAt(at);
      this.specialAt = at;
      if (isSpecial(unit) && this.readSpecial(unit)) this.textStart = this.at;
      else this.at = at + 1;
    }
    this.specialAt = text.length;
    this.flush();
  }

  /** Reads what begins with `unit`; false when it is nothing but text. */
  private readSpecial(unit: i32): bool {
    switch (unit) {
      case BACKSLASH:
        return this.readEscape();
      case BACKTICK:
        return this.readCode();
      case NEWLINE:
        return this.readLineEnd();
      case 0x26:
        return this.readEntity();
      case 0x3c:
        return this.readAutolink();
      case 0x68:
        return this.readPlainAddress();
      case 0x21:
        if (unitAt(this.text, this.at + 1) != 0x5b) return false;
        return this.openBracket(true);
      case 0x5b:
        return this.readWikiLink() || this.openBracket(false);
      case 0x5d:
        return this.closeBracket();
      default:
        return this.readRun();
    }
  }

  private readEscape(): bool {
    const next = unitAt(this.text, this.at + 1);
    if (next == NEWLINE) {
      this.push('<br />\n', '\n');
    } else if (isAsciiPunctuation(next)) {
      this.pushText(String.fromCharCode(next));
    } else return false;
    this.at += 2;
    return true;
  }

  private readCode(): bool {
    const text = this.text;
    const length = runLength(text, this.at);
    const start = this.at + length;
    if (length <= BACKTICKS_MAX && !this.noBackticks[length]) {
      for (let end = start; end < text.length;) {
        end = text.indexOf('`', end);
        if (end < 0) break;
        const run = runLength(text, end);
        if (run == length) {
          let code = text.substring(start, end).replaceAll('\n', ' ');
          const isPadded = code.length > 2 && code.startsWith(' ') && code.endsWith(' ') && code.trimStart().length > 0;
          if (isPadded) code = code.substring(1, code.length - 1);
          this.push('<code>' + escapeHtml(code) + '</code>', code);
          this.at = end + run;
          return true;
        }
        end += run;
      }
      this.noBackticks[length] = true;
    }
    this.pushText(text.substring(this.at, start));
    this.at = start;
    return true;
  }

  /** Two spaces before a line's end break the line. */
  private readLineEnd(): bool {
    const lineEnd = this.at++;
    let end = lineEnd;
    while (end > this.textStart && this.text.charCodeAt(end - 1) == SPACE) end--;
    this.specialAt = end;
    this.push(lineEnd - end > 1 ? '<br />\n' : '\n', '\n');
    while (unitAt(this.text, this.at) == SPACE) this.at++;
    return true;
  }

  /** A character reference such as `&copy;` stays: in text it can be nothing but a character. */
  private readEntity(): bool {
    const text = this.text;
    const start = this.at + 1;
    let end = start;
    const isNumber = unitAt(text, start) == 0x23;
    if (isNumber) end++;
    while (end - start < ENTITY_MAX && (isLetter(unitAt(text, end)) || isDigit(unitAt(text, end)))) end++;
    if (unitAt(text, end) != 0x3b || end < start + 2 || (!isNumber && !isLetter(unitAt(text, start)))) return false;
    this.at = end + 1;
    const entity = text.substring(start - 1, this.at);
    this.push(entity, entity);
    return true;
  }

  private readAutolink(): bool {
    const end = autolinkEnd(this.text, this.at);
    if (end == 0) return false;
    const address = this.text.substring(this.at + 1, end - 1);
    this.pushAddress(address.includes(':') ? address : 'mailto:' + address, address);
    this.at = end;
    return true;
  }

  private readPlainAddress(): bool {
    const before = unitAt(this.text, this.at - 1);
    if (isLetter(before) || isDigit(before)) return false;
    const end = plainAddressEnd(this.text, this.at);
    if (end == 0) return false;
    const address = this.text.substring(this.at, end);
    this.pushAddress(address, address);
    this.at = end;
    return true;
  }

  private pushAddress(address: string, text: string): void {
    if (isSafe(address)) this.push(linkTag(address, '') + escapeHtml(text) + '</a>', text);
    else this.pushText('<' + text + '>');
  }

  /** `[[Name]]` or `[[Name|text]]`. */
  private readWikiLink(): bool {
    const text = this.text;
    if (unitAt(text, this.at + 1) != 0x5b) return false;
    const start = this.at + 2;
    let end = start;
    let bar = 0;
    for (; end < text.length && end - start < PAGE_NAME_MAX; end++) {
      const unit = text.charCodeAt(end);
      if (unit == 0x5d || unit == 0x5b || unit == NEWLINE) break;
      if (unit == 0x7c && bar == 0) bar = end;
    }
    if (unitAt(text, end) != 0x5d || unitAt(text, end + 1) != 0x5d) return false;
    const name = trimmed(text.substring(start, bar == 0 ? end : bar));
    const label = bar == 0 ? name : trimmed(text.substring(bar + 1, end));
    const html = this.wiki.link(name, label);
    if (html.length == 0) return false;
    this.push(html, label);
    this.at = end + 2;
    return true;
  }

  private readRun(): bool {
    const text = this.text;
    const at = this.at;
    const unit = text.charCodeAt(at);
    const length = runLength(text, at);
    const before = unitAt(text, at - 1);
    const after = unitAt(text, at + length);
    this.at = at + length;
    const isLeft = !isSpace(after) && (!isPunctuation(after) || isSpace(before) || isPunctuation(before));
    const isRight = !isSpace(before) && (!isPunctuation(before) || isSpace(after) || isPunctuation(after));
    let canOpen = isLeft;
    let canClose = isRight;
    if (unit == 0x5f) {
      canOpen = isLeft && (!isRight || isPunctuation(before));
      canClose = isRight && (!isLeft || isPunctuation(after));
    }
    if (length > RUN_MAX || (unit == 0x7e && length != 2)) canOpen = canClose = false;
    const run = text.substring(at, at + length);
    this.flush();
    if (canOpen || canClose)
      this.append(new Delimiter(this.parts.length, unit, length, canOpen, canClose, length, 0, false));
    this.push(run, run);
    if (canOpen || canClose) this.runs[this.runs.length - 1] = this.last;
    return true;
  }

  private append(delimiter: Delimiter): void {
    delimiter.previous = this.last;
    if (this.last !== null) this.last!.next = delimiter;
    this.last = delimiter;
  }

  private remove(delimiter: Delimiter): void {
    const previous = delimiter.previous;
    const next = delimiter.next;
    if (previous !== null) previous.next = next;
    if (next !== null) next.previous = previous;
    else this.last = previous;
  }

  private openBracket(isImage: bool): bool {
    this.at += isImage ? 2 : 1;
    this.flush();
    this.append(new Delimiter(this.parts.length, 0x5b, 0, false, false, 0, this.at, isImage));
    this.pushText(isImage ? '![' : '[');
    return true;
  }

  private closeBracket(): bool {
    let opener = this.last;
    while (opener !== null && opener.unit != 0x5b) opener = opener.previous;
    if (opener === null) return false;
    if (!opener.isActive || unitAt(this.text, this.at + 1) != 0x28) {
      this.remove(opener);
      return false;
    }
    const target = new LinkTarget(this.text, this.at + 1);
    if (target.end == 0 || !isSafe(target.address)) {
      this.remove(opener);
      return false;
    }
    this.at = target.end;
    this.flush();
    if (opener.isImage) {
      this.endImage(opener, target);
    } else {
      this.matchRuns(opener);
      this.parts[opener.part] = linkTag(target.address, target.title);
      this.push('</a>', '');
      // There are no links within links.
      let other = opener.previous;
      while (other !== null) {
        if (other.unit == 0x5b && !other.isImage) other.isActive = false;
        other = other.previous;
      }
    }
    this.remove(opener);
    return true;
  }

  /** A picture of this site is shown; one from elsewhere is a link, or its host would learn who reads the page. */
  private endImage(opener: Delimiter, target: LinkTarget): void {
    let alt = '';
    for (let i = opener.part + 1; i < this.parts.length; i++) alt += this.runs[i] === null ? this.plain[i] : '';
    this.parts.length = opener.part;
    this.plain.length = opener.part;
    this.runs.length = opener.part;
    while (this.last !== null && this.last !== opener) this.remove(this.last!);
    if (isNear(target.address)) {
      const title = target.title.length > 0 ? ' title="' + escapeHtml(target.title) + '"' : '';
      this.push('<img src="' + escapeHtml(target.address) + '" alt="' + escapeHtml(alt) + '"' + title + ' />', alt);
    } else {
      const label = alt.length > 0 ? alt : target.address;
      this.push(linkTag(target.address, target.title) + escapeHtml(label) + '</a>', label);
    }
  }

  /** Matches runs that close emphasis with those that open it, above `bottom` (CommonMark's "process emphasis"). */
  private matchRuns(bottom: Delimiter | null): void {
    // For each kind of closer, below where there is no opener for it: else many closers would look in vain again and again.
    const floors = new StaticArray<usize>(3 * 6);
    floors.fill(changetype<usize>(bottom));
    let closer = this.last;
    while (closer !== null && closer.previous !== bottom) closer = closer.previous;
    if (closer === bottom) return;
    while (closer !== null) {
      const next = closer.next;
      if (!closer.canClose || closer.count == 0) {
        closer = next;
        continue;
      }
      const kind =
        (closer.unit == 0x2a ? 0 : closer.unit == 0x5f ? 6 : 12) + i32(closer.canOpen) * 3 + (closer.length % 3);
      const floor = floors[kind];
      let opener = closer.previous;
      while (opener !== null && opener !== bottom && changetype<usize>(opener) != floor && !matches(opener, closer)) {
        opener = opener.previous;
      }
      if (opener === null || opener === bottom || changetype<usize>(opener) == floor) {
        floors[kind] = changetype<usize>(closer.previous);
        if (!closer.canOpen) this.remove(closer);
        closer = next;
        continue;
      }
      const used = opener.count > 1 && closer.count > 1 ? 2 : 1;
      const tag = closer.unit == 0x7e ? 'del' : used == 2 ? 'strong' : 'em';
      opener.opening = '<' + tag + '>' + opener.opening;
      closer.closing += '</' + tag + '>';
      opener.count -= used;
      closer.count -= used;
      // Whatever stands between them has lost its chance.
      while (closer.previous !== opener) this.remove(closer.previous!);
      if (opener.count == 0) this.remove(opener);
      if (closer.count == 0) {
        this.remove(closer);
        closer = next;
      }
    }
    while (this.last !== null && this.last !== bottom) this.remove(this.last!);
  }
}

function matches(opener: Delimiter, closer: Delimiter): bool {
  if (!opener.canOpen || opener.unit != closer.unit || opener.count == 0) return false;
  if (opener.unit == 0x7e) return true;
  // The rule of three: runs that could do both must not make odd pairs.
  const isOdd = (opener.canClose || closer.canOpen) && (opener.length + closer.length) % 3 == 0;
  return !isOdd || (opener.length % 3 == 0 && closer.length % 3 == 0);
}

function linkTag(address: string, title: string): string {
  const rel = isNear(address) ? '' : ' rel="nofollow noopener noreferrer"';
  const name = title.length > 0 ? ' title="' + escapeHtml(title) + '"' : '';
  return '<a href="' + escapeHtml(address) + '"' + name + rel + '>';
}

function isSpecial(unit: i32): bool {
  switch (unit) {
    case NEWLINE:
    case BACKSLASH:
    case BACKTICK:
    case 0x21:
    case 0x26:
    case 0x2a:
    case 0x3c:
    case 0x5b:
    case 0x5d:
    case 0x5f:
    case 0x68:
    case 0x7e:
      return true;
    default:
      return false;
  }
}
