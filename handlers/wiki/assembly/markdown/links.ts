import { BACKSLASH, SPACE, isAsciiPunctuation, isDigit, isLetter, isSpace, unitAt } from './characters';

/** Longer addresses and titles are text: to look for their end again and again would be what an attacker wants. */
const ADDRESS_MAX: i32 = 2048;
const PARENTHESES_MAX: i32 = 32;

/** Where a link leads: `(address "title")` behind its text. */
export class LinkTarget {
  address: string = '';
  title: string = '';
  /** Where it ends, or 0 when there is none. */
  end: i32 = 0;

  constructor(
    private text: string,
    private at: i32,
  ) {
    this.read();
  }

  private read(): void {
    this.at++;
    this.skipSpace();
    if (!(unitAt(this.text, this.at) == 0x3c ? this.readBracketed() : this.readPlain())) return;
    const behind = this.at;
    this.skipSpace();
    const opening = unitAt(this.text, this.at);
    if (this.at > behind && (opening == 0x22 || opening == 0x27 || opening == 0x28)) {
      if (!this.readTitle(opening == 0x28 ? 0x29 : opening)) return;
      this.skipSpace();
    }
    if (unitAt(this.text, this.at) == 0x29) this.end = this.at + 1;
  }

  private skipSpace(): void {
    while (this.at < this.text.length && isSpace(this.text.charCodeAt(this.at))) this.at++;
  }

  private readBracketed(): bool {
    const start = ++this.at;
    for (const end = min(start + ADDRESS_MAX, this.text.length); this.at < end; this.at++) {
      const unit = this.text.charCodeAt(this.at);
      if (unit == 0x0a || unit == 0x3c) return false;
      if (unit == BACKSLASH) this.at++;
      else if (unit == 0x3e) {
        this.address = unescape(this.text.substring(start, this.at++));
        return true;
      }
    }
    return false;
  }

  private readPlain(): bool {
    const start = this.at;
    let open = 0;
    for (; this.at < this.text.length; this.at++) {
      if (this.at - start > ADDRESS_MAX || open > PARENTHESES_MAX) return false;
      const unit = this.text.charCodeAt(this.at);
      if (unit <= SPACE) break;
      if (unit == BACKSLASH && isAsciiPunctuation(unitAt(this.text, this.at + 1))) this.at++;
      else if (unit == 0x28) open++;
      else if (unit == 0x29 && --open < 0) break;
    }
    if (open > 0) return false;
    this.address = unescape(this.text.substring(start, this.at));
    return true;
  }

  private readTitle(closing: i32): bool {
    const start = ++this.at;
    for (const end = min(start + ADDRESS_MAX, this.text.length); this.at < end; this.at++) {
      const unit = this.text.charCodeAt(this.at);
      if (unit == BACKSLASH) this.at++;
      else if (unit == closing) {
        this.title = unescape(this.text.substring(start, this.at++));
        return true;
      }
    }
    return false;
  }
}

/** Without the backslashes that escape punctuation. */
export function unescape(text: string): string {
  if (!text.includes('\\')) return text;
  let result = '';
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) == BACKSLASH && isAsciiPunctuation(unitAt(text, i + 1))) i++;
    result += text.charAt(i);
  }
  return result;
}

/** The scheme that an address begins with, in small letters; empty for one that leads to somewhere near. */
export function schemeOf(address: string): string {
  for (let i = 0; i < address.length; i++) {
    const unit = address.charCodeAt(i);
    if (unit == 0x3a) return address.substring(0, i).toLowerCase();
    if (unit == 0x2f || unit == 0x3f || unit == 0x23) break;
  }
  return '';
}

/**
 * Whether a link may lead there. Browsers skip control characters and spaces where they look for a scheme, so an address
 * with any is refused rather than understood.
 */
export function isSafe(address: string): bool {
  for (let i = 0; i < address.length; i++) {
    const unit = address.charCodeAt(i);
    if (unit < SPACE || unit == 0x7f || (unit == SPACE && i == 0)) return false;
  }
  const scheme = schemeOf(address);
  if (scheme.length == 0) return true;
  return scheme == 'http' || scheme == 'https' || scheme == 'mailto' || scheme == 'ipfs' || scheme == 'ipns';
}

/** Whether an address leads to this site: pictures from elsewhere would tell others who reads a page. */
export function isNear(address: string): bool {
  return schemeOf(address).length == 0 && !address.startsWith('//') && !address.includes('\\');
}

/** Where `<...>` at `at` ends, if what is in it is an address with a scheme or of mail; else 0. */
export function autolinkEnd(text: string, at: i32): i32 {
  let hasColon = false;
  let hasAt = false;
  for (let i = at + 1, end = min(at + ADDRESS_MAX, text.length); i < end; i++) {
    const unit = text.charCodeAt(i);
    if (unit <= SPACE || unit == 0x3c) return 0;
    if (unit == 0x3e) {
      const scheme = schemeOf(text.substring(at + 1, i));
      if (hasColon) return scheme.length >= 2 && scheme.length <= 32 && isScheme(scheme) ? i + 1 : 0;
      return hasAt ? i + 1 : 0;
    }
    if (unit == 0x3a) hasColon = true;
    else if (unit == 0x40) hasAt = i > at + 1;
    else if (!hasColon && (unit == BACKSLASH || unit > 0x7e)) return 0;
  }
  return 0;
}

function isScheme(scheme: string): bool {
  if (!isLetter(scheme.charCodeAt(0))) return false;
  for (let i = 1; i < scheme.length; i++) {
    const unit = scheme.charCodeAt(i);
    if (!isLetter(unit) && !isDigit(unit) && unit != 0x2b && unit != 0x2d && unit != 0x2e) return false;
  }
  return true;
}

/** Where a plain `https://...` in a text ends: without the punctuation that ends the sentence; 0 where there is none. */
export function plainAddressEnd(text: string, at: i32): i32 {
  if (!text.startsWith('https://', at) && !text.startsWith('http://', at)) return 0;
  const start = at + (text.charCodeAt(at + 4) == 0x73 ? 8 : 7);
  let end = start;
  let open = 0;
  for (; end < text.length && end - at < ADDRESS_MAX; end++) {
    const unit = text.charCodeAt(end);
    if (unit <= SPACE || unit == 0x3c || unit == 0x5d || unit == 0x2a || unit == 0x60) break;
    if (unit == 0x28) open++;
    if (unit == 0x29 && --open < 0) break;
  }
  while (end > start && '?!.,:_~\'";'.includes(text.charAt(end - 1))) end--;
  return end > start ? end : 0;
}
