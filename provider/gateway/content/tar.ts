import type { UnixFS } from 'ipfs-unixfs';
import type { CID } from 'multiformats/cid';
import { openFile } from '../../store/index.ts';
import { HttpError } from '../http/index.ts';
import { isRaw, type BlockReader } from './block-reader.ts';
import type { CarLimits } from './car.ts';
import { listEntries } from './directory.ts';
import { FILE_PART_BYTES, PATH_SEGMENTS_MAX } from './limits.ts';
import { DAG_PB, decodeUnixFs, isDirectory } from './node.ts';
import { tarHeader, tarPadding, TAR_END, type TarEntry } from './tar-header.ts';

/** What of a tree is still to come. */
interface Pending {
  cid: CID;
  name: string;
  depth: number;
}

/**
 * A UnixFS tree as a TAR, its top named by its CID, directories before what is in them and entries in their order, so that
 * the same tree has the same bytes. A name that would leave the tree where it is unpacked ends the stream, and so does
 * what is beyond the limits of a CAR.
 */
export async function* writeTar(
  newReader: () => BlockReader,
  top: CID,
  { carBlocksMax, carBytesMax }: CarLimits,
): AsyncGenerator<Uint8Array> {
  const stack: Pending[] = [{ cid: top, name: top.toString(), depth: 0 }];
  let entries = 0;
  let size = 0;
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { cid, name, depth } = next;
    // A reader remembers blocks to prove a path; here it is for one entry.
    const reader = newReader();
    entries += 1;
    if (entries + stack.length > carBlocksMax) throw tooLarge(`${carBlocksMax} entries`);
    if (depth > PATH_SEGMENTS_MAX) throw tooLarge(`${PATH_SEGMENTS_MAX} levels`);
    if (isRaw(cid)) {
      size += yield* fileEntry(reader, cid, { name, ...attributes(undefined, 0o644) }, carBytesMax - size);
      continue;
    }
    if (cid.code !== DAG_PB) throw notUnixFs(cid);
    const node = decodeUnixFs(cid, await reader.fetch(cid));
    const { unixfs } = node;
    if (isDirectory(node)) {
      yield tarHeader({ type: 'directory', name: `${name}/`, size: 0, ...attributes(unixfs, 0o755) });
      const children: Pending[] = [];
      for await (const entry of listEntries(reader, node)) {
        children.push({ cid: entry.cid, name: `${name}/${checkName(entry.name)}`, depth: depth + 1 });
        if (entries + stack.length + children.length > carBlocksMax) throw tooLarge(`${carBlocksMax} entries`);
      }
      stack.push(...children.reverse());
    } else if (unixfs.type === 'symlink') {
      const target = Buffer.from(unixfs.data ?? []).toString('utf8');
      yield tarHeader({ type: 'symlink', name, size: 0, target, ...attributes(unixfs, 0o777), mode: 0o777 });
    } else {
      size += yield* fileEntry(reader, cid, { name, ...attributes(unixfs, 0o644) }, carBytesMax - size);
    }
  }
  yield TAR_END;
}

async function* fileEntry(
  reader: BlockReader,
  cid: CID,
  entry: Omit<TarEntry, 'type' | 'size'>,
  bytesMax: number,
): AsyncGenerator<Uint8Array, number> {
  const { size, read } = await openFile(cid, reader.fetch);
  if (size > bytesMax) throw tooLarge('the bytes that one answer may have');
  yield tarHeader({ type: 'file', size, ...entry });
  for (let offset = 0; offset < size; offset += FILE_PART_BYTES) {
    yield await read(offset, Math.min(FILE_PART_BYTES, size - offset));
  }
  const padding = tarPadding(size);
  if (padding.length > 0) yield padding;
  return size;
}

function attributes(unixfs: UnixFS | undefined, mode: number): { mode: number; mtimeSecs: number } {
  const secs = Number(unixfs?.mtime?.secs ?? 0);
  return { mode: (unixfs?.mode ?? mode) & 0o7777, mtimeSecs: Number.isSafeInteger(secs) && secs > 0 ? secs : 0 };
}

/** A name that stays in its directory. */
function checkName(name: string): string {
  if (name !== '' && name !== '.' && name !== '..' && !/[/\\\0]/.test(name)) return name;
  throw new HttpError(500, 'NAME_UNSAFE', `The directory has the name ${JSON.stringify(name.slice(0, 128))}`);
}

function tooLarge(limit: string): HttpError {
  return new HttpError(413, 'TAR_TOO_LARGE', `This TAR has more than ${limit}; ask for its parts`);
}

export function notUnixFs(cid: CID): HttpError {
  return new HttpError(400, 'NOT_UNIXFS', `${cid} is no UnixFS, so there is no TAR of it; ?format=car has its blocks`);
}
