import { Html, Response } from 'workswap';

/** A whole page around its main part. */
export function layout(title: string, main: Html, status: i32 = 200): Response {
  const page = new Html().raw('<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>').text(title);
  page.raw(
    '</title>\n<meta name="viewport" content="width=device-width">\n<link rel="stylesheet" href="/style.css">\n',
  );
  page.raw('</head>\n<body>\n<main>\n').add(main).raw('</main>\n</body>\n</html>\n');
  return Response.page(page, status).header('content-security-policy', "default-src 'self'; frame-ancestors 'none'");
}
