// Markdown to HTML: headings, lists, emphasis, code, links, escaping.
function escape(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c == 38) out += '&amp;';
    else if (c == 60) out += '&lt;';
    else if (c == 62) out += '&gt;';
    else out += String.fromCharCode(c);
  }
  return out;
}

function inline(text: string): string {
  let out = '';
  let i = 0;
  while (i < text.length) {
    const c = text.charAt(i);
    if (c == '*' || c == '`') {
      const end = text.indexOf(c, i + 1);
      if (end > 0) {
        const tag = c == '*' ? 'em' : 'code';
        out += '<' + tag + '>' + escape(text.substring(i + 1, end)) + '</' + tag + '>';
        i = end + 1;
        continue;
      }
    }
    if (c == '[') {
      const middle = text.indexOf('](', i);
      const end = text.indexOf(')', middle);
      if (middle > 0 && end > 0) {
        out +=
          '<a href="' + escape(text.substring(middle + 2, end)) + '">' + inline(text.substring(i + 1, middle)) + '</a>';
        i = end + 1;
        continue;
      }
    }
    out += escape(c);
    i++;
  }
  return out;
}

function render(text: string): string {
  const lines = text.split('\n');
  const parts = new Array<string>();
  let inList = false;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    if (inList && !line.startsWith('- ')) {
      parts.push('</ul>');
      inList = false;
    }
    if (line.startsWith('#')) {
      let level = 1;
      while (line.charAt(level) == '#') level++;
      parts.push('<h' + level.toString() + '>' + inline(line.substring(level).trim()) + '</h' + level.toString() + '>');
    } else if (line.startsWith('- ')) {
      if (!inList) parts.push('<ul>');
      inList = true;
      parts.push('<li>' + inline(line.substring(2)) + '</li>');
    } else if (line.length > 0) parts.push('<p>' + inline(line) + '</p>');
  }
  return parts.join('\n');
}

const page =
  '# Title & more\nSome *text* with `code < 3` and a [link *here*](https://example.org/?a=1&b=2).\n- one\n- two *three*\n' +
  '## Second\nPlain words that go on for a while, to the end of the line > 9.\n\n- last item with `x`\n';

export function run(rounds: i32): i32 {
  let sum = 0;
  for (let r = 0; r < rounds; r++) {
    const html = render(page + r.toString());
    sum += html.length + html.charCodeAt(r % html.length);
  }
  return sum;
}
