import type { SealedReceipt } from '../../../sdk/protocol/index.ts';
import type { AnswerFigures, ServiceResponse } from '../../services/index.ts';
import { HELD_BYTES_MAX } from '../limits.ts';

/** An answer that is here whole, with what it took, and its receipt if that is made; or its beginning, and the rest as it comes. */
export type Answer =
  | { isWhole: true; body: Uint8Array; figures: AnswerFigures; receipt?: SealedReceipt }
  | { isWhole: false; body: AsyncIterable<Uint8Array>; receipt: Promise<SealedReceipt> };

const EMPTY = new Uint8Array(0);

/** An answer that is short, here and figured out already. */
export function wholeAnswer({ figures, whole }: ServiceResponse): Answer | undefined {
  if (figures === undefined || whole === undefined || whole.length > HELD_BYTES_MAX) return undefined;
  return { isWhole: true, body: whole, figures };
}

/**
 * Holds an answer until it is known what it took, so that the headers can say it. What is longer than `HELD_BYTES_MAX` is
 * streamed, and its receipt comes in the trailers.
 */
export async function holdAnswer(response: ServiceResponse): Promise<Answer> {
  const { whole } = response;
  if (whole !== undefined && whole.length <= HELD_BYTES_MAX) return withReceipt(whole, await response.receipt());
  const receipt = response.receipt();
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
  return withReceipt(body, await receipt);
}

function withReceipt(body: Uint8Array, sealed: SealedReceipt): Answer {
  const { priceBytes, usage, output } = sealed.receipt;
  return { isWhole: true, body, figures: { priceBytes, fuel: usage.fuel, output: () => output }, receipt: sealed };
}

async function* rest(parts: Uint8Array[], iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* parts;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}
