import { Message } from './message';
import { Request } from './request';
import { Response } from './response';

// The module's entry, which the build writes around the author's file, is made of these.
export { abort, seed, trace } from './globals';
export { Message, Request, Response };

/** What a message is answered with that was taken. */
export function taken(): Response {
  return new Response(204);
}

/** For an input that is no DAG-CBOR map: the caller's mistake, so the handler is not even asked. */
export function badRequest(): Response {
  return Response.text('bad request\n', 400);
}
