import { escapeHtml, htmlEntity } from './escape';
import { Utf8Buffer } from './utf8-buffer';

/**
 * A piece of HTML, put together from tags that the author wrote (`raw`) and text from anywhere (`text`), which is escaped.
 *
 * ```ts
 * const page = new Html().raw('<p>').text(req.query.get('name')).raw('</p>');
 * ```
 */
export class Html {
  /** What there is so far, as it will be sent. */
  buffer: Utf8Buffer = new Utf8Buffer();

  /** Text for HTML: between tags, or inside an attribute's quotes. */
  static escape(text: string): string {
    return escapeHtml(text);
  }

  /** Adds HTML as it is: what stands here must come from the author, never from a visitor. */
  raw(html: string): Html {
    this.buffer.add(html);
    return this;
  }

  /** Adds text, escaped: fit to stand between tags and inside an attribute's quotes. */
  text(text: string): Html {
    this.buffer.addReplaced(text, htmlEntity);
    return this;
  }

  /** Adds a whole number. */
  number(value: i64): Html {
    this.buffer.add(value.toString());
    return this;
  }

  /** Adds ` name="value"`, the value escaped. */
  attribute(name: string, value: string): Html {
    return this.raw(' ').raw(name).raw('="').text(value).raw('"');
  }

  /**
   * Adds ` name="url"` for `href`, `src` and `action`. An address that would run a script (`javascript:`, `data:` and
   * whatever else is not `http`, `https`, `mailto`, `ipfs`, `ipns` or relative) becomes `#`.
   */
  link(name: string, url: string): Html {
    return this.attribute(name, isHarmlessUrl(url) ? url : '#');
  }

  /** Adds another piece. */
  add(other: Html): Html {
    const from = other.buffer;
    const length = from.length;
    const dst = this.buffer.reserve(length);
    memory.copy(dst, changetype<usize>(from.bytes), length);
    this.buffer.endAt(dst + length);
    return this;
  }

  toString(): string {
    return this.buffer.toString();
  }
}

/** Whether a browser that follows `url` stays on this site or goes to a page elsewhere, and runs nothing here. */
function isHarmlessUrl(url: string): bool {
  for (let i = 0; i < url.length; i++) {
    const unit = url.charCodeAt(i);
    // Browsers skip control characters, also inside the scheme.
    if (unit <= 0x20) return false;
    if (unit == 0x2f || unit == 0x3f || unit == 0x23) return true;
    if (unit == 0x3a) {
      const scheme = url.substring(0, i).toLowerCase();
      return scheme == 'http' || scheme == 'https' || scheme == 'mailto' || scheme == 'ipfs' || scheme == 'ipns';
    }
  }
  return true;
}
