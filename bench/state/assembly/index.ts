import { Request, Response, state } from 'workswap';

/** POST keeps the body in a file of the request's path, GET answers with it. */
export function handle(req: Request): Response {
  const path = req.path.substring(1);
  if (req.method == 'POST') {
    state.write(path, req.body);
    return Response.text('kept');
  }
  const found = state.read(path);
  return found === null ? Response.notFound() : Response.bytes(found, 'application/octet-stream');
}
