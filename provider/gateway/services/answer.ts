import type { SealedReceipt } from '../../../sdk/protocol/index.ts';
import type { ServiceResponse } from '../../services/index.ts';
import { HELD_BYTES_MAX } from '../limits.ts';

/** An answer that is here whole, with its receipt; or its beginning, and the rest as it comes. */
export type Answer =
  | { isWhole: true; body: Uint8Array; receipt: SealedReceipt }
  | { isWhole: false; body: AsyncIterable<Uint8Array>; receipt: Promise<SealedReceipt> };

const EMPTY = new Uint8Array(0);

/**
 * Holds an answer until its receipt is there, so that the headers can name it. What is longer than `HELD_BYTES_MAX` is
 * streamed, and its receipt comes in the trailers.
 */
export async function holdAnswer(response: ServiceResponse): Promise<Answer> {
  const { receipt, whole } = response;
  if (whole !== undefined && whole.length <= HELD_BYTES_MAX)
    return { isWhole: true, body: whole, receipt: await receipt };
  // Nobody may be waiting for it when the body breaks off.
  receipt.catch(() => {});
  const iterator = response.body[Symbol.asyncIterator]();
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await iterator.next();
    if (done === true) break;
    parts.push(value);
    bytes += value.length;
    if (bytes > HELD_BYTES_MAX) return { isWhole: false, body: rest(parts, iterator), receipt };
  }
  const body = parts.length === 0 ? EMPTY : parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  return { isWhole: true, body, receipt: await receipt };
}

async function* rest(parts: Uint8Array[], iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* parts;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}
