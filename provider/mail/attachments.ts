import type { Blockstore } from 'interface-blockstore';
import { importer } from 'ipfs-unixfs-importer';
import { fixedSize } from 'ipfs-unixfs-importer/chunker';
import { openFile, type GetBlock } from '../store/index.ts';
import { decryptWith, encryptTo, generateMailKey, mailKeyOf } from './age.ts';
import { MailError } from './errors.ts';
import type { Attachment } from './letter.ts';
import { ATTACHMENT_BYTES_MAX } from './limits.ts';
import { pad, paddedSize, unpad } from './padding.ts';

export interface NewAttachment {
  name: string;
  type: string;
  content: Uint8Array;
}

const CHUNK_BYTES = 1024 * 1024;
/** What age adds: its header, and 16 bytes for each 64 KiB. */
const AGE_BYTES_MAX = 1024 + (ATTACHMENT_BYTES_MAX >> 11);

/** Encrypts a file under a key of its own and puts it into the block store. */
export async function storeAttachment({ name, type, content }: NewAttachment, blocks: Blockstore): Promise<Attachment> {
  if (content.length > ATTACHMENT_BYTES_MAX) {
    throw new MailError('ATTACHMENT_INVALID', `${name} has more than ${ATTACHMENT_BYTES_MAX} bytes`);
  }
  const key = await generateMailKey();
  const encrypted = await encryptTo(await mailKeyOf(key), pad(content));
  const options = { cidVersion: 1, rawLeaves: true, chunker: fixedSize({ chunkSize: CHUNK_BYTES }) } as const;
  let cid: Attachment['cid'] | undefined;
  for await (const entry of importer([{ content: encrypted }], blocks, options)) cid = entry.cid;
  return { name, type, bytes: content.length, cid: cid!, key };
}

/** @throws MailError ATTACHMENT_INVALID when it is not what the letter says; why a block cannot be had */
export async function loadAttachment(
  { name, bytes, cid, key }: Attachment,
  getBlock: GetBlock,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const file = await openFile(cid, getBlock, { signal });
  if (file.size > paddedSize(ATTACHMENT_BYTES_MAX + 8) + AGE_BYTES_MAX) throw notAsSaid(name);
  try {
    const content = unpad(await decryptWith(key, await file.read(0, file.size)));
    if (content.length === bytes) return content;
  } catch (error) {
    signal.throwIfAborted();
    throw notAsSaid(name, error);
  }
  throw notAsSaid(name);
}

function notAsSaid(name: string, cause?: unknown): MailError {
  return new MailError('ATTACHMENT_INVALID', `The attachment ${name} is not what its letter says`, cause);
}
