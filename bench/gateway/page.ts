/** What assembly/index.ts answers, in JavaScript: what the answers are compared with, and the page that workerd runs. */
export function page(visitor: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  let mark = 2166136261;
  for (let i = 0; i < visitor.length; i++) mark = Math.imul(mark ^ visitor.charCodeAt(i), 16777619);
  let html = '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Scores</title>\n';
  html += '<link rel="stylesheet" href="style.css">\n</head>\n<body>\n<h1>Hello, ';
  html += visitor.replace(/[&<>"']/g, (unit) => entities[unit]!);
  html += '</h1>\n<table>\n';
  for (let row = 0; row < 20; row++) {
    mark = (Math.imul(mark, 1664525) + 1013904223) | 0;
    html += `<tr><td>${row + 1}</td><td>${100 + ((mark >>> 16) % 900)}</td></tr>\n`;
  }
  return `${html}</table>\n</body>\n</html>\n`;
}

/** Every request is of another visitor, so that nobody can give an answer twice; all pages are equally long. */
export function visitorOf(n: number): string {
  return `Ann & ${String(n).padStart(9, '0')}`;
}

export function targetOf(n: number): string {
  return `/scores?visitor=Ann+%26+${String(n).padStart(9, '0')}`;
}
