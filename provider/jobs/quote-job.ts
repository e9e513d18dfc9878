import { dagCborCid, encodeInput, price, taskCid, type Quote } from '../../sdk/protocol/index.ts';
import { checkLimits, serviceField, type Job, type Rooms } from './run-job.ts';

const QUOTE_TTL_MS = 60_000;

/** The upper bound of a task's price, without running it. Loads the handler, since its size is part of the price. */
export async function quoteJob(rooms: Rooms, job: Job, signal: AbortSignal, nowMs: number): Promise<Quote> {
  const { consumer, handler, request, limits } = job;
  checkLimits(limits, rooms.limits);
  const { rates, cid: tariff } = rooms.tariff();
  const input = encodeInput(request, consumer.toString());
  const compiledBytes = await rooms.modules.compileSize(handler, { signal, peers: [consumer] });
  const most = price(rates, {
    compiledBytes,
    inputBytes: input.length,
    outputBytes: limits.outputBytesMax,
    readBytes: 0,
    writtenBytes: 0,
    fuel: limits.fuelMax,
    memoryPagesPeak: limits.memoryPagesMax,
  });
  return {
    task: taskCid({ handler, input: dagCborCid(input), limits, ...serviceField(job) }),
    tariff,
    priceMaxBytes: Math.min(most, limits.priceMaxBytes),
    compileBytes: Math.ceil((rates.compile * compiledBytes) / 1024),
    expiresMs: nowMs + QUOTE_TTL_MS,
  };
}
