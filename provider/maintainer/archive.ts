import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { decode, encode } from '@ipld/dag-cbor';
import { CarBlockIterator, CarWriter } from '@ipld/car';
import type { Blockstore } from 'interface-blockstore';
import { CID } from 'multiformats/cid';
import { dagCborCid, openDescriptor, rawCid, sha256, type SealedDescriptor } from '../../sdk/protocol/index.ts';
import { isMap } from '../../sdk/protocol/signed.ts';
import { linksOf, type GetBlock } from '../store/index.ts';
import { MaintainerError } from './errors.ts';

/**
 * A service in one CAR file: its root is the DAG-CBOR block `{version: 1, record, descriptor, root, commit}`, and every
 * block below it is there: the IPNS record (as a raw block), the descriptor with handler and site, the state, and all
 * commits with their states, tasks and inputs.
 */
export interface Archive {
  record: CID;
  descriptor: CID;
  /** Root of the state. */
  root: CID;
  commit: CID | null;
}

const SHA2_256 = 0x12;

/** Writes the file complete or not at all. */
export async function writeArchive(
  path: string,
  {
    record,
    descriptor,
    root,
    commit,
  }: { record: Uint8Array; descriptor: SealedDescriptor; root: CID; commit: CID | undefined },
  getBlock: GetBlock,
  signal: AbortSignal,
): Promise<{ cid: CID; blocks: number; bytes: number }> {
  const head = new Map<string, Uint8Array>();
  const own = (cid: CID, bytes: Uint8Array): CID => {
    head.set(cid.toString(), bytes);
    return cid;
  };
  const manifest = encode({
    version: 1,
    record: own(rawCid(record), record),
    descriptor: own(descriptor.cid, descriptor.bytes),
    root,
    commit: commit ?? null,
  });
  const cid = own(dagCborCid(manifest), manifest);
  const { writer, out } = CarWriter.create([cid]);
  const temporary = `${path}.new`;
  const written = pipeline(Readable.from(out), createWriteStream(temporary), { signal });
  written.catch(() => {});
  let blocks = 0;
  let bytes = 0;
  try {
    const seen = new Set([cid.toString()]);
    const waiting = [cid];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      signal.throwIfAborted();
      const block = head.get(next.toString()) ?? (await getBlock(next, { signal }));
      await writer.put({ cid: next, bytes: block });
      blocks++;
      bytes += block.length;
      for (const link of linksOf(next, block)) {
        const text = link.toString();
        if (!seen.has(text)) waiting.push(link);
        seen.add(text);
      }
    }
    await writer.close();
    await written;
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return { cid, blocks, bytes };
}

/** Reads an archive into a block store. Every block is checked against its CID. @throws MaintainerError ARCHIVE_INVALID */
export async function readArchive(
  path: string,
  blockstore: Blockstore,
  signal: AbortSignal,
): Promise<{ archive: Archive; descriptor: SealedDescriptor }> {
  let root: CID | undefined;
  try {
    const car = await CarBlockIterator.fromIterable(createReadStream(path, { signal }));
    [root] = await car.getRoots();
    for await (const { cid, bytes } of car) {
      signal.throwIfAborted();
      const { code, digest } = cid.multihash;
      if (code !== SHA2_256 || Buffer.compare(digest, sha256(bytes)) !== 0) {
        throw new Error(`the block ${cid} has other bytes than its CID says`);
      }
      await blockstore.put(cid, bytes);
    }
    const archive = decodeManifest(await blockOf(blockstore, root));
    return { archive, descriptor: await openDescriptor(await blockOf(blockstore, archive.descriptor)) };
  } catch (error) {
    signal.throwIfAborted();
    throw new MaintainerError(
      'ARCHIVE_INVALID',
      `${path} is not the archive of a service: ${(error as Error).message}`,
      error,
    );
  }
}

function decodeManifest(bytes: Uint8Array): Archive {
  const value: unknown = decode(bytes);
  if (!isMap(value) || value['version'] !== 1) throw new Error('its root is no archive of version 1');
  const [record, descriptor, root] = ['record', 'descriptor', 'root'].map((name) => CID.asCID(value[name]));
  const commit = value['commit'] === null ? null : CID.asCID(value['commit']);
  if (record && descriptor && root) return { record, descriptor, root, commit };
  throw new Error('a field of its root is missing');
}

async function blockOf(blockstore: Blockstore, cid: CID | undefined): Promise<Uint8Array> {
  if (cid === undefined) throw new Error('it has no root');
  for await (const bytes of blockstore.get(cid)) return bytes;
  throw new Error(`the block ${cid} is missing`);
}
