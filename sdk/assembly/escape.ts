/** What must not stand for itself in HTML, neither between tags nor in a quoted attribute. */
export function htmlEntity(unit: i32): string {
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

export function jsonEscape(unit: i32): string {
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

/** Measured first and written then: a text of nothing but `<` must not be copied once for each of them. */
function replaceUnits(text: string, replacement: (unit: i32) => string): string {
  const length = text.length;
  let units = length;
  for (let i = 0; i < length; i++) {
    const instead = replacement(text.charCodeAt(i)).length;
    if (instead > 0) units += instead - 1;
  }
  if (units == length) return text;
  const result = __new((<usize>units) << 1, idof<string>());
  let into = result;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    const instead = replacement(unit);
    if (instead.length == 0) {
      store<u16>(into, unit);
      into += 2;
    } else {
      memory.copy(into, changetype<usize>(instead), (<usize>instead.length) << 1);
      into += (<usize>instead.length) << 1;
    }
  }
  return changetype<string>(result);
}

/** Text for HTML: between tags, or inside an attribute's quotes. */
export function escapeHtml(text: string): string {
  return replaceUnits(text, htmlEntity);
}

/** Text as a JSON string, with its quotes. */
export function quoteJson(text: string): string {
  return '"' + replaceUnits(text, jsonEscape) + '"';
}
