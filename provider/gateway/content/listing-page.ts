import { escapeHtml, STYLE } from '../http/index.ts';
import type { DirectoryEntry } from './directory.ts';

/** Part of the page's ETag: to be raised with every change of what the page looks like. */
export const LISTING_VERSION = '1';

export interface Listing {
  /** Where the directory is served, without the slash at the end. */
  url: string;
  /** What the visitor is shown as the path: each name with where it leads. */
  crumbs: { name: string; url: string }[];
  cid: string;
  entries: DirectoryEntry[];
  /** True when there are more than are shown. */
  isCut: boolean;
  /** Absent at the root. */
  parent: string | undefined;
  /** Where `/ipfs/CID` is served: of this host, or of the host above a subdomain. */
  ipfsUrl: string;
}

export function listingPage({ url, crumbs, cid, entries, isCut, parent, ipfsUrl }: Listing): string {
  const path = crumbs.map((crumb) => `<a href="${escapeHtml(crumb.url)}">${escapeHtml(crumb.name)}</a>`).join('/');
  const title = crumbs.map(({ name }) => name).join('/');
  const up = parent === undefined ? '' : `<tr><td colspan="3"><a href="${escapeHtml(parent)}">..</a></td></tr>`;
  const rows = entries.map(({ name, cid: entry, bytes }) => {
    const hash = entry.toString();
    const href = `${ipfsUrl}/ipfs/${hash}?filename=${encodeURIComponent(name)}`;
    return `<tr><td><a href="${escapeHtml(`${url}/${encodeURIComponent(name)}`)}">${escapeHtml(name)}</a></td><td><a class="ipfs-hash" translate="no" href="${escapeHtml(href)}">${short(hash)}</a></td><td>${size(bytes)}</td></tr>`;
  });
  const more = isCut ? `<p>These are the first ${entries.length}; the CAR has all.</p>` : '';
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Index of ${escapeHtml(title)}</title><style>${STYLE}${TABLE_STYLE}</style>
<main><h1>Index of /${path}</h1>
<p><code>${cid}</code> · <a href="?format=car">CAR</a> · <a href="?format=raw">block</a></p>
<table><thead><tr><th>Name<th>CID<th>Size</thead><tbody>${up}
${rows.join('\n')}
</tbody></table>${more}</main></html>
`;
}

const TABLE_STYLE =
  'table{border-collapse:collapse;width:100%}th{text-align:left;font-weight:600;opacity:.7}td,th{padding:.3rem .5rem .3rem 0;border-bottom:1px solid light-dark(#ddd,#444);overflow-wrap:anywhere}td:last-child,th:last-child{text-align:right;white-space:nowrap}.ipfs-hash,code{font:13px ui-monospace,monospace;opacity:.8;overflow-wrap:anywhere}';

function short(cid: string): string {
  return `${cid.slice(0, 8)}…${cid.slice(-6)}`;
}

function size(bytes: number): string {
  let value = bytes;
  for (const unit of ['B', 'KiB', 'MiB', 'GiB']) {
    if (value < 1024) return `${unit === 'B' ? value : value.toFixed(1)} ${unit}`;
    value /= 1024;
  }
  return `${value.toFixed(1)} TiB`;
}
