const TAG =
  /^<(?:\/?(p|h[1-6]|pre|code|em|strong|del|ul|ol|li|blockquote|table|thead|tbody|tr|th|td|a)|code class="language-[^"<>]*"|ol start="\d+"|t[hd] align="(?:left|right|center)"|a href="[^"<>]*"(?: title="[^"<>]*")?(?: rel="nofollow noopener noreferrer")?|a href="[^"<>]*" class="missing" title="This page does not exist yet"|img src="[^"<>]*" alt="[^"<>]*"(?: title="[^"<>]*")? \/|br \/|hr \/)>$/;
const PROTOCOLS = new Set(['http:', 'https:', 'mailto:', 'ipfs:', 'ipns:']);

/** Throws unless all tags are ones that the renderer makes, balanced, with addresses that run nothing. */
export function checkHtml(html: string): void {
  const open: string[] = [];
  for (const [tag] of html.matchAll(/<[^>]*>?/g)) {
    if (!TAG.test(tag)) throw new Error(`the tag ${tag} in ${html}`);
    const name = /^<\/?(\w+)/.exec(tag)![1]!;
    if (tag.startsWith('</')) {
      if (open.pop() !== name) throw new Error(`${tag} closes something else in ${html}`);
    } else if (!tag.endsWith(' />')) {
      open.push(name);
    }
    const address = /(?:href|src)="([^"]*)"/.exec(tag)?.[1];
    if (address !== undefined) checkAddress(address, html);
  }
  if (open.length > 0) throw new Error(`${open.join()} stays open in ${html}`);
  const text = html.replaceAll(/<[^>]*>/g, '');
  if (/[<>"']/.test(text)) throw new Error(`not escaped: ${text}`);
}

function checkAddress(address: string, html: string): void {
  const decoded = address
    .replaceAll(/&#(\d+);/g, (_entity, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
  // A browser would follow no link that cannot be parsed.
  const url = URL.parse(decoded, 'https://wiki.example/');
  if (url !== null && !PROTOCOLS.has(url.protocol)) throw new Error(`the address ${address} in ${html}`);
}
