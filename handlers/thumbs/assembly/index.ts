import { Cid, File, Query, Request, Response, parseNumber } from 'workswap';
import { Thumbnail } from './thumbnail';

/** Pixels of a thumbnail in one direction. */
const SIDE_MAX: f64 = 1024;
const SIDE_DEFAULT: f64 = 200;
/** Bytes of the file, which is held in memory as a whole. */
const FILE_BYTES_MAX: i64 = 16 * 1024 * 1024;
/** What reads the file looks a little ahead. */
const SLACK_BYTES: i32 = 8;

/** `GET /CID?w=200&h=200&fit=cover`: a smaller PNG of the PNG with this CID. README.md describes it. */
export function handle(req: Request): Response {
  if (req.method != 'GET' && req.method != 'HEAD') return problem(405, 'only GET').header('allow', 'GET, HEAD');
  const name = req.path.substring(1);
  const cid = Cid.parse(name);
  if (cid === null) return problem(404, 'the path must be the CID of a PNG on IPFS: /bafy...?w=200&h=200');
  const query = req.query;
  const width = sideOf(query, 'w');
  const height = sideOf(query, 'h');
  if (width == 0 || height == 0) return problem(400, 'w and h must be whole numbers from 1 to 1024');
  const fit = query.get('fit', 'contain');
  if (fit != 'contain' && fit != 'cover') return problem(400, 'fit must be contain or cover');

  const file = new File(cid);
  const size = file.size;
  if (size > FILE_BYTES_MAX) return problem(422, 'cannot make a thumbnail: the file is larger than 16 MiB');
  const bytes = new Uint8Array(<i32>size + SLACK_BYTES);
  file.read(0, bytes.subarray(0, <i32>size));
  const thumbnail = new Thumbnail();
  thumbnail.make(bytes.dataStart, <i32>size, width, height, fit == 'cover');
  if (thumbnail.problem.length > 0) return problem(422, 'cannot make a thumbnail: ' + thumbnail.problem);
  // The content behind a CID never changes, and neither does what is computed from it.
  return Response.bytes(thumbnail.result, 'image/png').header('cache-control', 'public, max-age=31536000, immutable');
}

/** 0 for what is not a side. */
function sideOf(query: Query, name: string): i32 {
  if (!query.has(name)) return <i32>SIDE_DEFAULT;
  const side = parseNumber(query.get(name));
  return side >= 1 && side <= SIDE_MAX && side == Math.floor(side) ? <i32>side : 0;
}

function problem(status: i32, what: string): Response {
  return Response.text(what + '\n', status);
}
