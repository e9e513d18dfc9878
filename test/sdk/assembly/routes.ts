import { Params, Request, Response, Router } from 'workswap';

const app = new Router()
  .get('/', (_req: Request, _: Params) => Response.text('home'))
  .get('/page/:name', (_req: Request, params: Params) => Response.text('page ' + params.get('name')))
  .post('/page/:name', (_req: Request, params: Params) => Response.text('saved ' + params.get('name')))
  .delete('/page/:name', (_req: Request, params: Params) => Response.text('gone ' + params.get('name')))
  .get('/page/new', (_req: Request, _: Params) => Response.text('never: the pattern before it fits too'))
  .get('/files/*path', (_req: Request, params: Params) => Response.text('file ' + params.get('path')))
  .get('/segments/*', (req: Request, _: Params) => Response.text(req.segments.join('|')))
  .get('/stream', stream)
  .get('/fail', fail);

export function handle(req: Request): Response {
  return app.handle(req);
}

function stream(_req: Request, _: Params): Response {
  const response = Response.text('first ').flush();
  return response.write('second ').flush().write('third');
}

function fail(req: Request, _: Params): Response {
  if (req.query.has('assert')) assert(req.method == 'POST', 'a POST');
  if (req.query.has('bounds')) return Response.text([1, 2, 3][req.query.get('x').length + 5].toString());
  throw new Error('there is no such page');
}
