import { CarReader } from '@ipld/car';
import type { Reply } from '../gateway-scene.ts';
import type { Sent } from './gateway-requests.ts';
import { tarEntries } from './tar-entries.ts';

export interface Asked {
  sent: Sent;
  own: Reply;
  theirs: Reply;
}

/** Headers that the gateway specifications define, or that clients of a gateway depend on. */
const HEADERS = [
  'accept-ranges',
  'access-control-allow-methods',
  'access-control-allow-origin',
  'cache-control',
  'content-disposition',
  'content-length',
  'content-location',
  'content-range',
  'content-type',
  'etag',
  'ipfs-uri',
  'last-modified',
  'location',
  'x-content-type-options',
  'x-ipfs-path',
  'x-ipfs-roots',
];

/** Where we do otherwise, and why. Each must be seen, or it is no longer true. */
export const WANTED: readonly [what: RegExp, reason: string][] = [
  [/\/\/file\.txt.*status 200, boxo 307/, 'slashes that stand together are one'],
  [/\.\..*status 400, boxo 307/, 'a path with .. is refused, not made shorter'],
  [/%(?:00|ff).*status 400, boxo 404/, 'NUL and what is not UTF-8 are refused before anything is looked up'],
  [/"range":"bytes=-0".*status 416, boxo 206/, 'no last bytes are not satisfiable (RFC 9110, 14.1.2)'],
  [/"range":"(?:bytes=5-2|bytes=x|lines=1-2)".*status 200, boxo 4/, 'an invalid Range is ignored (RFC 9110, 14.2)'],
  [/"range":"bytes=-20000".*status 206, boxo (?:400|500)/, 'the last 20,000 bytes of less are all (RFC 9110, 14.1.3)'],
  [/format=(?:json|cbor).*status 406, boxo (?:200|301|400)/, 'nothing is converted, and format means what it says'],
  [/"application\/json".*status 406, boxo 400/, 'nothing is converted: 406, as for all formats'],
  [/format=(?:nonsense)? .*status 400, boxo (?:200|301|404)/, 'a format that nobody knows is refused, not overlooked'],
  [/format=car.*status 404, boxo 200/, 'what is missing before the CAR begins is a 404'],
  [/nothing\?format=car&.*status 404, boxo 400/, 'the path is looked at before the scope is'],
  [/(?:car-\w+=|"application\/vnd\.ipld\.car; version=2").*status 406, boxo 400/, 'a CAR that is not offered is 406'],
  [/(?:format=tar|x-tar).*status 400, boxo 500/, 'a TAR of what is no UnixFS is a bad request, as specified'],
  [/tar.*: status 0, boxo 200/, 'a TAR that cannot go on breaks off: it must not look whole'],
  [/tar.*: etag "(.*)", boxo W\/"\1"/, 'a tree has one TAR, byte for byte, so its tag is strong'],
  [/raw;q=0\.5, .*boxo/, 'Accept is weighed by q'],
  [/order=unk.*: content-type .*order=dfs.*boxo .*order=unk/, 'the order is said: it is always dfs'],
  [/entity-bytes=.*: content /, 'a range has the blocks that it needs, and no more'],
  [/download=true .*content-disposition attachment, boxo undefined/, 'download=true does without a filename'],
  [/filename=a%22b.*: content-disposition/, 'quotes in a filename become _'],
  [/\/link1 .*(?:accept-ranges|last-modified) undefined/, 'a symlink is its target as text, and no more'],
  [/"text\/html.*status 200, boxo 301/, 'documents come as they are, without a page that shows them'],
  [/"if-none-match":"\*".*: (?:etag DirIndex|cache-control .*604800)/, 'the 304 of a listing is about the listing'],
  [/"if-modified-since".*: last-modified .*, boxo undefined/, 'a 304 says since when'],
  [/HEAD .*only-if-cached.*boxo undefined/, 'HEAD has the headers of GET, also with only-if-cached'],
  [/\/any.*: content-type text\/html, boxo text\/plain/, 'the type is that of the page that is shown'],
  [/OPTIONS .*status 204, boxo 200/, 'there is no content in the answer to a preflight'],
  [/not_a_name.*status 400, boxo 301/, 'what is neither a key nor a domain gets no host'],
  [/QmbWq.*\.ipfs\.localhost.*status 400, boxo 404/, 'host names have no capitals, so they hold no such CID'],
  [/\/ipns\/!!.*status 400, boxo 500/, 'what is no name is a bad request'],
];

/** Where the two differ: nothing, or in words. */
export async function differences({ sent, own, theirs }: Asked): Promise<string[]> {
  const found: string[] = [];
  if (own.status !== theirs.status) found.push(`status ${own.status}, boxo ${theirs.status}`);
  else if (own.status < 400) {
    for (const name of HEADERS) {
      const [mine, other] = [valueOf(name, own), valueOf(name, theirs)];
      // We say it always.
      if (name === 'x-content-type-options' && mine === 'nosniff') continue;
      if (mine !== other) found.push(`${name} ${mine}, boxo ${other}`);
    }
    const [mine, other] = [await contentOf(own), await contentOf(theirs)];
    if (mine !== other) found.push(`content ${mine.slice(0, 500)}, boxo ${other.slice(0, 500)}`);
  }
  const { method = 'GET', host = '', path, headers = {} } = sent;
  return found.map((what) => `${method} ${host}${path} ${JSON.stringify(headers)}: ${what}`);
}

/** What a header says, without what is each gateway's own: ports, tags of streams and pages, ways to write the same. */
function valueOf(name: string, { status, headers }: Reply): string | undefined {
  const value = headers[name] === undefined ? undefined : String(headers[name]);
  const tag = headers.etag ?? '';
  const isOwn = tag.includes('DirIndex') || tag.includes('.car.') || tag.includes('.x-tar');
  if (name === 'location' || name === 'content-location') return value === undefined ? undefined : locationOf(value);
  // What a redirect says besides is nobody's concern.
  if (status >= 300 && status !== 304) return undefined;
  switch (name) {
    case 'etag':
      return value?.replace(/^"DirIndex-.*_CID-(.*)"$/, 'DirIndex $1').replace(/^.*\.car\..*$/, 'CAR');
    case 'content-length':
    case 'accept-ranges':
      return isOwn ? undefined : value;
    case 'content-type':
      return value?.replace('; charset=utf-8', '');
    case 'content-disposition':
      return value?.replace(/; filename\*=UTF-8''.*$/, '').replace(/filename=".*\.car"/, 'CAR');
    case 'x-ipfs-roots':
      return status === 304 ? undefined : value;
    default:
      return value;
  }
}

function locationOf(value: string): string {
  const url = new URL(value, 'http://same');
  url.port = '';
  url.searchParams.sort();
  return url.href;
}

async function contentOf({ status, headers, body }: Reply): Promise<string> {
  const isPage = status >= 300 || (headers.etag ?? '').includes('DirIndex');
  if (isPage || body.length === 0) return '';
  const type = String(headers['content-type']);
  // The order of the entries is nobody's concern.
  if (type === 'application/x-tar') return tarEntries(body).sort().join('\n');
  if (!type.startsWith('application/vnd.ipld.car')) return body.toString('base64');
  const cids: string[] = [];
  for await (const { cid } of (await CarReader.fromBytes(body)).blocks()) cids.push(cid.toString());
  return cids.join(' ');
}
