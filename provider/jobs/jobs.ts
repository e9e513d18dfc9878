import type { Connection, Stream } from '@libp2p/interface';
import { WORKSWAP_PROTOCOL, WorkswapError } from '../../sdk/protocol/index.ts';
import { Cancellation, type CancelSignal } from '../cancellation.ts';
import { LiveList } from '../live-list.ts';
import { ByteBudget } from './byte-budget.ts';
import { ConsumerStream, shuttingDown } from './consumer-stream.ts';
import { runJob, runQuery } from './run-job.ts';
import type { AnsweredQuery, FinishedJob, Job, Rooms } from './run-job.ts';
import { Settler } from './settler.ts';
import { JOBS_LIMITS } from './types.ts';
import type { JobsComponents, JobsLimits, JobsStats } from './types.ts';
import { UpdatesUnderWay } from './updates-under-way.ts';

/** The server of /workswap/1.0.0: every job from the consumer's frame to the signed receipt. */
export interface Jobs {
  start(): Promise<void>;
  /** Refuses new jobs, lets running ones finish for a while, cancels and refunds the rest. */
  stop(options?: { graceMs?: number }): Promise<void>;
  /** Runs a job of the provider itself, without a stream and without an account. */
  run(job: Job, signal: CancelSignal): Promise<FinishedJob>;
  /** The same for a query of a service, whose receipt is made when somebody asks for it. */
  query(job: Job, signal: CancelSignal): Promise<AnsweredQuery>;
  /** Tells every connected consumer that the tariff changed. */
  tariffChanged(): void;
  stats(): JobsStats;
}

export function createJobs(
  components: JobsComponents,
  init: { limits?: Partial<JobsLimits>; onError: (error: unknown) => void },
): Jobs {
  const limits = { ...JOBS_LIMITS, ...init.limits };
  const settler = new Settler(components.scoreLedger, components.privateKey);
  const rooms: Rooms = { ...components, limits, settler, updates: new UpdatesUnderWay() };
  const stats: JobsStats = { streams: 0, running: 0, finished: 0, failed: 0, refused: 0, cancelled: 0 };
  /** Of jobs of the provider itself. */
  const own = new LiveList<Cancellation>();
  let isStopping = false;
  const outputs = new ByteBudget(limits.outputBytesTotalMax);
  const streams = new Set<ConsumerStream>();

  function onStream(stream: Stream, connection: Connection): void {
    const consumer = connection.remotePeer;
    const open = [...streams].filter((other) => other.consumer.equals(consumer)).length;
    if (open >= limits.streamsPerConsumerMax) {
      stream.abort(
        new WorkswapError('TOO_MANY_STREAMS', `A consumer may have ${limits.streamsPerConsumerMax} streams open`, {
          fault: 'consumer',
          retryable: true,
        }),
      );
      return;
    }
    const served = new ConsumerStream(rooms, stream, consumer, { outputs, stats, onError: init.onError });
    streams.add(served);
    stats.streams = streams.size;
    stream.addEventListener('close', () => {
      streams.delete(served);
      stats.streams = streams.size;
    });
  }

  async function runOwn<T extends FinishedJob | AnsweredQuery>(
    job: Job,
    signal: CancelSignal,
    run: (cancellation: Cancellation) => Promise<T>,
  ): Promise<T> {
    if (isStopping) throw shuttingDown();
    if (signal.aborted) throw signal.reason;
    const cancellation = new Cancellation();
    const abort = (): void => cancellation.abort(signal.reason);
    signal.addEventListener('abort', abort);
    const place = own.add(cancellation);
    try {
      return await rooms.activity.track(job, run(cancellation));
    } finally {
      own.remove(place);
      signal.removeEventListener('abort', abort);
    }
  }

  return {
    async start() {
      await components.libp2p.handle(WORKSWAP_PROTOCOL, onStream, { maxInboundStreams: limits.streamsPerConsumerMax });
    },
    async stop({ graceMs = limits.stopTimeoutMs } = {}) {
      await components.libp2p.unhandle(WORKSWAP_PROTOCOL);
      isStopping = true;
      for (const cancellation of own.values()) cancellation.abort(shuttingDown());
      const deadline = AbortSignal.timeout(graceMs);
      await Promise.all([...streams].map((stream) => stream.stop(deadline)));
    },
    run: (job, signal) => runOwn(job, signal, (cancellation) => runJob(rooms, job, cancellation)),
    query: (job, signal) => runOwn(job, signal, (cancellation) => runQuery(rooms, job, cancellation)),
    tariffChanged() {
      for (const stream of streams) stream.sendTariff();
    },
    stats: () => ({ ...stats }),
  };
}
