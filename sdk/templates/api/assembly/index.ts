import { Json, JsonWriter, Params, Request, Response, Router, StateMap } from 'workswap';

const TEXT_MAX: i32 = 4000;
const PAGE: i32 = 50;

const notes = new StateMap('notes');
const app = new Router()
  .get('/notes', list)
  .get('/notes/:name', read)
  .put('/notes/:name', write)
  .delete('/notes/:name', remove);

export function handle(req: Request): Response {
  return app.handle(req);
}

/** `GET /notes?after=NAME`: names in order, fifty at a time. */
function list(req: Request, _params: Params): Response {
  const names = notes.keys(req.query.get('after'), PAGE);
  const json = new JsonWriter().object().key('notes').array();
  for (let i = 0; i < names.length; i++) json.string(names[i]);
  return Response.json(json.end().end().toString());
}

function read(_req: Request, params: Params): Response {
  const text = notes.get(params.get('name'));
  if (text === null) return problem(404, 'there is no such note');
  const json = new JsonWriter().object().key('name').string(params.get('name')).key('text').string(text).end();
  return Response.json(json.toString());
}

/** `PUT /notes/NAME` with `{"text": "..."}`. */
function write(req: Request, params: Params): Response {
  const body = Json.parse(req.text);
  if (!body.isObject) return problem(400, 'the body must be a JSON object');
  const text = body.get('text').asString();
  if (text.length == 0 || text.length > TEXT_MAX) return problem(422, 'text must have 1 to 4000 characters');
  if (String.UTF8.byteLength(params.get('name')) > 80) return problem(422, 'a name has at most 80 bytes');
  const isNew = !notes.has(params.get('name'));
  notes.set(params.get('name'), text);
  return new Response(isNew ? 201 : 204);
}

function remove(_req: Request, params: Params): Response {
  return notes.delete(params.get('name')) ? new Response(204) : problem(404, 'there is no such note');
}

function problem(status: i32, error: string): Response {
  return Response.json(new JsonWriter().object().key('error').string(error).end().toString(), status);
}
