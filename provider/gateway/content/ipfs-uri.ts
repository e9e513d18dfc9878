import type { HttpHeaders } from '../http/index.ts';
import { ipnsKey, parseCid } from './names.ts';
import { encodeSegments, type ContentPath } from './path.ts';

const URI_BYTES_MAX = 8192;
const FIELD_VALUE = /^[\t\x20-\x7e]*$/;

/**
 * Headers that say which content an answer is about: `Ipfs-Uri`, with the root in its canonical form and every segment
 * encoded; and the older `X-Ipfs-Path`, as it was asked for, which cannot say every name (IPIP-548).
 */
export function pathHeaders(kind: 'ipfs' | 'ipns', root: string, { segments, hasSlash }: ContentPath): HttpHeaders {
  const slash = hasSlash ? '/' : '';
  const path = `/${kind}/${root}${segments.map((segment) => `/${segment}`).join('')}${slash}`;
  const uri = `${kind}://${canonicalRoot(kind, root)}${encodeSegments(segments)}${slash}`;
  return {
    ...(uri.length <= URI_BYTES_MAX && { 'ipfs-uri': uri }),
    ...(FIELD_VALUE.test(path) && { 'x-ipfs-path': path }),
  };
}

function canonicalRoot(kind: 'ipfs' | 'ipns', root: string): string {
  return kind === 'ipfs' ? parseCid(root).toV1().toString() : (ipnsKey(root) ?? root.toLowerCase());
}
