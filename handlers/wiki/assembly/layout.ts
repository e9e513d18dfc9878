import { Html, Response } from 'workswap';

const POLICY: string =
  "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** The beginning of every page; what follows is its content. */
export function beginPage(title: string, query: string = ''): Html {
  const html = new Html();
  html.raw('<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n');
  html
    .raw('<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>')
    .text(title)
    .raw(' – Wiki</title>\n');
  html.raw('<link rel="icon" href="data:,">\n<link rel="stylesheet" href="./style.css">\n</head>\n<body>\n');
  html.raw(
    '<a class="skip" href="#content">Skip to content</a>\n<header>\n<a class="brand" href="./">Wiki</a>\n<nav aria-label="Wiki">',
  );
  html.raw(
    '<a href="./_index">All pages</a> <a href="./_recent">Recent changes</a></nav>\n<search><form action="./_search">',
  );
  html.raw('<input type="search" name="q" aria-label="Search" placeholder="Search" value="').text(query);
  return html.raw('"></form></search>\n</header>\n<main id="content">\n<h1>').text(title).raw('</h1>\n');
}

export function endPage(html: Html, status: i32 = 200): Response {
  html.raw('</main>\n</body>\n</html>\n');
  return Response.page(html, status)
    .header('content-security-policy', POLICY)
    .header('cache-control', 'no-cache')
    .header('referrer-policy', 'same-origin');
}

export function pageLink(html: Html, address: string, text: string): void {
  html.raw('<a href="').text(address).raw('">').text(text).raw('</a>');
}

/** `25 Nov 2026, 06:31 UTC`. */
export function timeTag(html: Html, timeMs: i64): void {
  const iso = new Date(timeMs).toISOString();
  const month = 3 * (I32.parseInt(iso.substring(5, 7)) - 1);
  html
    .raw('<time datetime="')
    .raw(iso)
    .raw('">')
    .raw(I32.parseInt(iso.substring(8, 10)).toString())
    .raw(' ');
  html
    .raw('JanFebMarAprMayJunJulAugSepOctNovDec'.substring(month, month + 3))
    .raw(' ')
    .raw(iso.substring(0, 4));
  html.raw(', ').raw(iso.substring(11, 16)).raw(' UTC</time>');
}
