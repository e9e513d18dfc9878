import { Html, Request, Response } from 'workswap';

const ROWS: i32 = 20;

/** A page for one visitor: the same as `page` in ../page.ts. */
export function handle(req: Request): Response {
  const visitor = req.query.get('visitor');
  let mark: u32 = 2166136261;
  for (let i = 0; i < visitor.length; i++) mark = (mark ^ visitor.charCodeAt(i)) * 16777619;
  const html = new Html();
  html.raw('<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Scores</title>\n');
  html.raw('<link rel="stylesheet" href="style.css">\n</head>\n<body>\n<h1>Hello, ').text(visitor);
  html.raw('</h1>\n<table>\n');
  for (let row = 0; row < ROWS; row++) {
    mark = mark * 1664525 + 1013904223;
    html
      .raw('<tr><td>')
      .number(row + 1)
      .raw('</td><td>')
      .number(100 + ((mark >> 16) % 900))
      .raw('</td></tr>\n');
  }
  html.raw('</table>\n</body>\n</html>\n');
  return Response.page(html);
}
