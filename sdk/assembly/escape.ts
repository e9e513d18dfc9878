/** What must not stand for itself in HTML, neither between tags nor in a quoted attribute. */
function htmlEntity(unit: i32): string {
  switch (unit) {
    case 0x22:
      return '&quot;';
    case 0x26:
      return '&amp;';
    case 0x27:
      return '&#39;';
    case 0x3c:
      return '&lt;';
    case 0x3e:
      return '&gt;';
    default:
      return '';
  }
}

function hexDigit(value: i32): string {
  return String.fromCharCode(value + (value < 10 ? 0x30 : 0x57));
}

function jsonEscape(unit: i32): string {
  switch (unit) {
    case 0x08:
      return '\\b';
    case 0x09:
      return '\\t';
    case 0x0a:
      return '\\n';
    case 0x0c:
      return '\\f';
    case 0x0d:
      return '\\r';
    case 0x22:
      return '\\"';
    case 0x5c:
      return '\\\\';
    default:
      return unit < 0x20 ? '\\u00' + hexDigit(unit >> 4) + hexDigit(unit & 15) : '';
  }
}

/** Runs of text that stay as they are, joined by what replaces the units between them. */
function replaceUnits(text: string, replacement: (unit: i32) => string): string {
  let result = '';
  let start = 0;
  const length = text.length;
  for (let i = 0; i < length; i++) {
    const instead = replacement(text.charCodeAt(i));
    if (instead.length == 0) continue;
    result += text.substring(start, i) + instead;
    start = i + 1;
  }
  return start == 0 ? text : result + text.substring(start);
}

/** Text for HTML: between tags, or inside an attribute's quotes. */
export function escapeHtml(text: string): string {
  return replaceUnits(text, htmlEntity);
}

/** Text as a JSON string, with its quotes. */
export function quoteJson(text: string): string {
  return '"' + replaceUnits(text, jsonEscape) + '"';
}
