import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Provider } from '../provider.ts';
import type { Sampler } from './figures.ts';

export interface Metrics {
  text(): Promise<string>;
  readonly contentType: string;
  stop(): void;
}

/** The node's figures for Prometheus. No label has a peer or a handler: strangers would choose how many there are. */
export function createMetrics(provider: Provider, sampler: Sampler): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number): void => {
    // oxlint-disable-next-line no-new: a gauge registers itself
    new Gauge({
      name: `workswap_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  };
  gauge('connections', 'Open connections', () => provider.libp2p.getConnections().length);
  gauge('resident_bytes', 'Resident memory of the process', () => process.memoryUsage.rss());
  gauge('jobs_running', 'Jobs under way', () => provider.stats().jobs.running);
  gauge('sandbox_queued', 'Jobs that wait for a worker', () => provider.stats().sandbox.queued);
  gauge('sandbox_threads', 'Workers of the pool', () => provider.stats().sandbox.threads);
  gauge(
    'sandbox_workers_lost',
    'Workers that were replaced, since the start',
    () => provider.stats().sandbox.workersLost,
  );
  gauge('sandbox_memory_reserved_bytes', 'Memory that running jobs may use', () => {
    return provider.stats().sandbox.memoryReservedBytes;
  });
  gauge('owed_to_us_bytes', 'What all peers owe this node', () => sampler.accounts.totals.owedToUs);
  gauge('owed_by_us_bytes', 'What this node owes to all peers', () => sampler.accounts.totals.owedByUs);
  for (const kind of ['blocks', 'work'] as const) {
    gauge(`${kind}_sent_bytes`, `Bytes of ${kind} given to peers`, () => sampler.accounts.totals[`${kind}Sent`]);
    gauge(`${kind}_received_bytes`, `Bytes of ${kind} got from peers`, () => sampler.accounts.totals[`${kind}Recv`]);
  }
  gauge('mailboxes', 'Mailboxes of peers', () => sampler.mailboxes.mailboxes);
  gauge('mailbox_messages', 'Messages that wait', () => sampler.mailboxes.messages);
  gauge('mailbox_bytes', 'Bytes of messages that wait', () => sampler.mailboxes.bytes);
  gauge('mailbox_files_bytes', 'Bytes of files that messages name', () => sampler.mailboxes.filesBytes);
  // oxlint-disable-next-line no-new: a counter registers itself
  new Counter({
    name: 'workswap_mailbox_messages_total',
    help: 'Messages since the start: stored, and what ended them',
    labelNames: ['what'],
    registers,
    collect() {
      this.reset();
      for (const [what, count] of Object.entries(provider.mailboxes.counts())) this.inc({ what }, count);
    },
  });
  gauge('messages_waiting', 'Messages of services that wait to be delivered', () => provider.messages.waiting.messages);
  gauge('messages_waiting_bytes', 'Bytes of them', () => provider.messages.waiting.bytes);
  // oxlint-disable-next-line no-new: a counter registers itself
  new Counter({
    name: 'workswap_messages_total',
    help: 'Messages of services since the start: what became of them, and attempts that failed',
    labelNames: ['what'],
    registers,
    collect() {
      this.reset();
      for (const [what, count] of Object.entries(provider.messages.counts())) this.inc({ what }, count);
    },
  });
  const ended = new Counter({
    name: 'workswap_jobs_total',
    help: 'Jobs that ended, by whose fault if by any',
    labelNames: ['end'],
    registers,
  });
  const fuel = new Counter({ name: 'workswap_fuel_total', help: 'Fuel burnt by jobs with a receipt', registers });
  const price = new Counter({ name: 'workswap_price_bytes_total', help: 'Price of jobs with a receipt', registers });
  const seconds = new Histogram({
    name: 'workswap_job_seconds',
    help: 'From the admission of a job to its durable receipt, or to its end without one',
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    registers,
  });
  const stop = provider.activity.onEnd((job) => {
    ended.inc({ end: job.code === 'OK' ? 'ok' : (job.fault ?? 'provider') });
    fuel.inc(job.fuel);
    price.inc(job.priceBytes);
    seconds.observe(job.elapsedMs / 1000);
  });
  return { text: () => registry.metrics(), contentType: registry.contentType, stop };
}
