import { existsSync, readdirSync } from 'node:fs';
import type { Case } from '../../../provider/metering/testing/cases.ts';
import type { Outcome } from '../../../provider/sandbox/index.ts';
import { rawCid } from '../../../sdk/protocol/index.ts';
import type { CallRequest } from '../../../sdk/client/index.ts';
import { buildModule } from '../../build-module.ts';
import { recordHandler } from './record.ts';

const folder = new URL('../../../handlers/', import.meta.url);

/** Not every folder is a handler: some hold what several share. */
export const handlers = readdirSync(folder).filter((name) => existsSync(new URL(`${name}/assembly/index.ts`, folder)));

const text = new TextEncoder().encode('the more the merrier, said the merrier more\n'.repeat(200));
const textCid = rawCid(text);
const files = new Map([[Buffer.from(textCid.bytes).toString('hex'), text]]);

/** What handlers are asked; any other handler is asked for `/`. */
const requests: Record<string, CallRequest> = {
  hello: { path: '/?name=Ada' },
  mandelbrot: { path: '/?width=160&height=100' },
  wordcount: { path: `/?cid=${textCid.toString()}` },
};

/** One of the project's handlers at work, as a case that any engine can run. */
export async function recordedHandler(name: string): Promise<{ outcome: Outcome; recorded: Case }> {
  const request = { timeMs: 1_700_000_000_000, seed: new Uint8Array(32).fill(7), ...requests[name] };
  return recordHandler(name, await buildModule(name), request, files);
}
