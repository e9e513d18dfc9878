import { decodeResponseHead } from '../../../sdk/protocol/response-head.ts';
import type { ResponseHead } from '../../../sdk/protocol/response-head.ts';
import { JobEnd } from '../errors.ts';

/** @throws JobEnd INVALID_OUTPUT, which ends the job */
export function decodeHead(bytes: Uint8Array): ResponseHead {
  try {
    return decodeResponseHead(bytes);
  } catch (error) {
    const reason = (error as Error).message;
    throw new JobEnd('INVALID_OUTPUT', `The first output_write must be the response head: ${reason}.`);
  }
}
