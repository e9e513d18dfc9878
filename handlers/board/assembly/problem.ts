import { JsonWriter, Response } from 'workswap';

/** What went wrong, as RFC 9457 has it: `code` for programs, `detail` for people. */
export function problem(status: i32, code: string, detail: string): Response {
  const json = new JsonWriter().object().key('type').string('about:blank').key('title').string(titleOf(status));
  json.key('status').number(status).key('code').string(code).key('detail').string(detail).end();
  return Response.json(json.toString(), status).header('content-type', 'application/problem+json');
}

function titleOf(status: i32): string {
  switch (status) {
    case 400:
      return 'Bad Request';
    case 403:
      return 'Forbidden';
    case 404:
      return 'Not Found';
    case 409:
      return 'Conflict';
    case 413:
      return 'Content Too Large';
    case 415:
      return 'Unsupported Media Type';
    case 422:
      return 'Unprocessable Content';
    default:
      return 'Precondition Required';
  }
}
