import { Html, List, Params, Request, Response, Router } from 'workswap';

const NAME_MAX: i32 = 60;
const MESSAGE_MAX: i32 = 1000;
const SHOWN: i32 = 50;

/** An entry is its name, a line break, and the message. */
const entries = new List('entries');
const app = new Router().get('/', show).post('/sign', sign);

export function handle(req: Request): Response {
  return app.handle(req);
}

function show(_req: Request, _params: Params): Response {
  return page('', 200);
}

function sign(req: Request, _params: Params): Response {
  const name = req.form.get('name').trim();
  const message = req.form.get('message').trim();
  const isFine = name.length > 0 && name.length <= NAME_MAX && message.length > 0 && message.length <= MESSAGE_MAX;
  if (!isFine || name.indexOf('\n') >= 0)
    return page('Please give a name and a message of at most 1000 characters.', 422);
  entries.push(name + '\n' + message);
  return Response.redirect('/');
}

function page(problem: string, status: i32): Response {
  const html = new Html().raw(
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Guestbook</title>\n',
  );
  html.raw(
    '<meta name="viewport" content="width=device-width">\n<link rel="stylesheet" href="/style.css">\n</head>\n<body>\n',
  );
  html.raw('<main>\n<h1>Guestbook</h1>\n');
  if (problem.length > 0) html.raw('<p role="alert">').text(problem).raw('</p>\n');
  html.raw('<form method="post" action="/sign">\n<label>Name <input name="name" required maxlength="60"></label>\n');
  html.raw('<label>Message <textarea name="message" required maxlength="1000"></textarea></label>\n');
  html.raw('<button>Sign</button>\n</form>\n');
  const newest = entries.newest(SHOWN);
  for (let i = 0; i < newest.length; i++) {
    const end = newest[i].indexOf('\n');
    html.raw('<article><strong>').text(newest[i].substring(0, end)).raw('</strong>\n');
    html.text(newest[i].substring(end + 1)).raw('</article>\n');
  }
  html.raw('</main>\n</body>\n</html>\n');
  return Response.page(html, status).header('content-security-policy', "default-src 'self'; frame-ancestors 'none'");
}
