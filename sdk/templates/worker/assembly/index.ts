import { Cid, File, JsonWriter, Params, Request, Response, Router, sha256, toHex } from 'workswap';
import { Lines } from './lines';

const app = new Router().get('/', ofFile).post('/', ofBody);

export function handle(req: Request): Response {
  return app.handle(req);
}

/** `GET /?cid=CID`: an IPFS file of any size, read piece by piece. */
function ofFile(req: Request, _params: Params): Response {
  const cid = Cid.parse(req.query.get('cid'));
  if (cid === null) return Response.text('cid must name a file on IPFS: /?cid=bafy...\n', 400);
  const lines = new Lines();
  const file = new File(cid);
  while (file.next()) lines.add(file.chunk);
  return Response.json(figures(lines).end().toString());
}

/** `POST /` with the bytes as the body. */
function ofBody(req: Request, _params: Params): Response {
  const lines = new Lines();
  lines.add(req.body);
  return Response.json(
    figures(lines)
      .key('sha256')
      .string(toHex(sha256(req.body)))
      .end()
      .toString(),
  );
}

function figures(lines: Lines): JsonWriter {
  return new JsonWriter().object().key('bytes').integer(lines.bytes).key('lines').integer(lines.lines);
}
