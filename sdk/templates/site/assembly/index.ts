import { Html, Params, Request, Response, Router } from 'workswap';
import { layout } from './layout';

const app = new Router().get('/', home).get('/about/:topic', about).post('/name', rename).notFound(lost);

export function handle(req: Request): Response {
  return app.handle(req);
}

function home(req: Request, _params: Params): Response {
  const name = req.cookies.get('name');
  const main = new Html()
    .raw('<h1>')
    .text(name.length > 0 ? 'Hello, ' + name + '!' : 'Hello!')
    .raw('</h1>\n');
  main
    .raw('<form method="post" action="/name"><label>Your name <input name="name" maxlength="40"')
    .attribute('value', name);
  main.raw('></label> <button>Remember me</button></form>\n<p><a href="/about/workswap">About this site</a></p>\n');
  return layout('Home', main);
}

function about(_req: Request, params: Params): Response {
  const topic = params.get('topic');
  return layout(topic, new Html().raw('<h1>About ').text(topic).raw('</h1>\n<p><a href="/">Home</a></p>\n'));
}

function rename(req: Request, _params: Params): Response {
  const name = req.form.get('name').trim();
  // 31,536,000 seconds are a year; without a name the cookie goes.
  const age = name.length > 0 ? '31536000' : '0';
  return Response.redirect('/').cookie('name', name.substring(0, 40), 'Path=/; HttpOnly; SameSite=Lax; Max-Age=' + age);
}

function lost(req: Request, _params: Params): Response {
  return layout('Not found', new Html().raw('<h1>Nothing at ').text(req.path).raw('</h1>\n'), 404);
}
