import { DEFAULT_LIMITS } from '../../../sdk/client/index.ts';
import {
  dagCborCid,
  encodeInput,
  encodeTask,
  type JobRequest,
  type SealedReceipt,
} from '../../../sdk/protocol/index.ts';
import type { GetBlock } from '../../store/index.ts';
import { carOf } from '../content/index.ts';
import { HttpError } from '../http/index.ts';

/**
 * A CAR with the receipt as its root and what running its task again takes: task, input, tariff, handler. Files that the
 * handler read, and the state, are named in there by CID and fetched like all content.
 */
export async function evidenceCar(
  { cid, bytes, receipt }: SealedReceipt,
  request: JobRequest,
  service: string,
  getBlock: GetBlock,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const input = encodeInput(request, receipt.consumer);
  const inputCid = dagCborCid(input);
  const { handler } = receipt;
  const task = encodeTask({ handler, input: inputCid, limits: DEFAULT_LIMITS, service });
  if (!inputCid.equals(receipt.input) || !dagCborCid(task).equals(receipt.task)) {
    throw new HttpError(502, 'PROVIDER_MISBEHAVED', 'The receipt is for another task than the one that was sent');
  }
  return carOf([
    { cid, bytes },
    { cid: receipt.task, bytes: task },
    { cid: receipt.input, bytes: input },
    { cid: receipt.tariff, bytes: await getBlock(receipt.tariff, { signal }) },
    { cid: handler, bytes: await getBlock(handler, { signal }) },
  ]);
}
