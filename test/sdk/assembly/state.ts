import { Counter, Json, JsonWriter, List, Params, Request, Response, Router, StateMap, state } from 'workswap';

const map = new StateMap('dir/map');
const list = new List('list');
const counter = new Counter('counters/one');

const app = new Router()
  .post('/map/set', (req: Request, _: Params) => {
    const pair = Json.parse(req.text);
    map.set(pair.at(0).asString(), pair.at(1).asString());
    return value(map.get(pair.at(0).asString()));
  })
  .post('/map/delete', (req: Request, _: Params) => Response.json(map.delete(req.text) ? 'true' : 'false'))
  .post('/map/get', (req: Request, _: Params) => value(map.has(req.text) ? map.get(req.text) : null))
  .post('/map/keys', (req: Request, _: Params) => {
    const from = Json.parse(req.text);
    return texts(map.keys(from.at(0).asString(), <i32>from.at(1).asInteger()));
  })
  .post('/list/push', (req: Request, _: Params) => Response.json(list.push(req.text).toString()))
  .post('/list/set/:index', (req: Request, params: Params) => {
    list.set(I64.parseInt(params.get('index')), req.text);
    return Response.json('null');
  })
  .post('/list/remove/:index', (_req: Request, params: Params) =>
    Response.json(list.remove(I64.parseInt(params.get('index'))) ? 'true' : 'false'),
  )
  .get('/list/:index', (_req: Request, params: Params) => value(list.get(I64.parseInt(params.get('index')))))
  .get('/list/:from/:to', (_req: Request, params: Params) =>
    texts(list.slice(I64.parseInt(params.get('from')), I64.parseInt(params.get('to')))),
  )
  .get('/newest/:n', (_req: Request, params: Params) => texts(list.newest(I32.parseInt(params.get('n')))))
  .post('/count/:n', (_req: Request, params: Params) =>
    Response.json(counter.add(I64.parseInt(params.get('n'))).toString()),
  )
  .get('/count', (_req: Request, _: Params) => Response.json(counter.value.toString()))
  .put('/file/*path', (req: Request, params: Params) => {
    state.write(params.get('path'), req.body);
    return Response.text('');
  })
  .get('/file/*path', (_req: Request, params: Params) => {
    const bytes = state.read(params.get('path'));
    return bytes === null ? Response.notFound() : Response.bytes(bytes);
  })
  .delete('/file/*path', (_req: Request, params: Params) =>
    Response.json(state.remove(params.get('path')) ? 'true' : 'false'),
  )
  .get('/size/*path', (_req: Request, params: Params) =>
    Response.json(state.size(params.get('path')).toString() + (state.exists(params.get('path')) ? '' : ' missing')),
  )
  .get('/names/*path', (req: Request, params: Params) => {
    const limit = I32.parseInt(req.query.get('limit', '100'));
    const entries = state.list(params.get('path'), req.query.get('after'), limit);
    const json = new JsonWriter().array();
    for (let i = 0; i < entries.length; i++) {
      json.array().string(entries[i].name).integer(entries[i].size).bool(entries[i].isDirectory).end();
    }
    return Response.json(json.end().toString());
  })
  .get('/write', (_req: Request, _: Params) => {
    state.writeText('x', 'y');
    return Response.text('never');
  })
  .post('/write-and-throw', (_req: Request, _: Params) => {
    state.writeText('x', 'y');
    throw new Error('changed my mind');
  });

export function handle(req: Request): Response {
  return app.handle(req);
}

function value(text: string | null): Response {
  const json = new JsonWriter();
  return Response.json(text === null ? 'null' : json.string(text).toString());
}

function texts(values: string[]): Response {
  const json = new JsonWriter().array();
  for (let i = 0; i < values.length; i++) json.string(values[i]);
  return Response.json(json.end().toString());
}
