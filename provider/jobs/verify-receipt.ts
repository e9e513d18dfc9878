import type { CID } from 'multiformats/cid';
import {
  decodeInput,
  decodeTask,
  deliveryOf,
  openReceipt,
  openTariff,
  price,
  rawCidOf,
} from '../../sdk/protocol/index.ts';
import type { Receipt, SealedReceipt } from '../../sdk/protocol/index.ts';
import type { ModuleLoader } from '../modules/index.ts';
import type { GetBlockOptions } from '../store/index.ts';
import type { JobSpec, Sandbox } from '../sandbox/index.ts';
import { runAgainAtState } from './verify-state.ts';
import type { TaskAgain, TaskRunner } from './verify-state.ts';
import { receiptMeterVersion, usageOf } from './run-job.ts';

export interface VerifyComponents {
  /** Finds the receipt's task, input and tariff blocks. */
  getBlock(cid: CID, options?: GetBlockOptions): Promise<Uint8Array>;
  modules: ModuleLoader;
  sandbox: Sandbox;
  /** Wall-clock limit of the re-run. */
  timeoutMs: number;
}

export interface Verification {
  verified: boolean;
  /** Names of the fields that the re-run gave differently, for example `output` or `fuel`. */
  differs: string[];
  receipt: SealedReceipt;
  /** What the re-run gave for the fields that differ. */
  found: Record<string, string>;
}

/**
 * Runs the task of a receipt again and compares everything that the provider stated, bit for bit.
 *
 * @throws DocumentError when the receipt or one of its documents is malformed or not signed by the provider
 */
export async function verifyReceipt(bytes: Uint8Array, components: VerifyComponents): Promise<Verification> {
  const sealed = openReceipt(bytes);
  const { receipt } = sealed;
  const task = decodeTask(await components.getBlock(receipt.task));
  const inputBytes = await components.getBlock(receipt.input);
  const input = decodeInput(inputBytes);
  const tariff = await openTariff(await components.getBlock(receipt.tariff));
  const { compiledBytes } = receipt.usage;
  const runner: TaskRunner = async (again, own, state) => {
    const module = await components.modules.load(again.task.handler);
    const budget = { rates: tariff.rates, priceMax: again.task.limits.priceMaxBytes, compiledBytes: own };
    return components.sandbox.run({
      module,
      input: again.inputBytes,
      seed: again.input.seed,
      timeMs: again.input.timeMs,
      limits: { ...again.task.limits, timeoutMs: components.timeoutMs },
      budget,
      ...(state === undefined ? {} : { state }),
      ...deliveryField(again.input),
    });
  };
  const module = await components.modules.load(task.handler);
  const asked = { task, input, inputBytes };
  const { outcome, found: foundAtState } =
    task.service === undefined
      ? { outcome: await runner(asked, compiledBytes), found: stateless(receipt) }
      : await runAgainAtState(receipt, asked, runner, components.getBlock);
  const usage = usageOf(outcome, inputBytes.length, compiledBytes);
  const again: Receipt = {
    ...receipt,
    handler: task.handler,
    input: task.input,
    output: rawCidOf(outcome.outputDigest),
    usage,
    priceBytes: price(tariff.rates, usage),
    meterVersion: receiptMeterVersion(module),
    provider: tariff.provider,
    consumer: input.caller,
  };
  const found = { ...compare(receipt, again), ...foundAtState };
  if (receipt.error !== outcome.error?.code) found['error'] = outcome.error?.code ?? 'none';
  // The provider may charge the compilation of the module or leave it, but nothing else.
  if (compiledBytes !== 0 && compiledBytes !== module.sizeBytes) found['compiledBytes'] = `0 or ${module.sizeBytes}`;
  const differs = Object.keys(found);
  return { verified: differs.length === 0, differs, receipt: sealed, found };
}

function deliveryField(input: TaskAgain['input']): Pick<JobSpec, 'delivery'> {
  const delivery = deliveryOf(input);
  return delivery === undefined ? {} : { delivery };
}

/** A job of no service has seen no state, and nobody else pays for it. */
function stateless({ state, commit, sponsor }: Receipt): Record<string, string> {
  const stated = Object.entries({ state, commit, sponsor }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(stated.map(([name]) => [name, 'none']));
}

function compare(stated: Receipt, again: Receipt): Record<string, string> {
  const found: Record<string, string> = {};
  const fields = ['handler', 'input', 'output', 'priceBytes', 'meterVersion', 'provider', 'consumer'] as const;
  for (const name of fields) {
    if (String(stated[name]) !== String(again[name])) found[name] = String(again[name]);
  }
  const usage = ['inputBytes', 'outputBytes', 'readBytes', 'writtenBytes', 'fuel', 'memoryPagesPeak'] as const;
  for (const name of usage) {
    if (stated.usage[name] !== again.usage[name]) found[name] = String(again.usage[name]);
  }
  return found;
}
