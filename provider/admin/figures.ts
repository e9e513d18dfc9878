import type { Gateway } from '../gateway/index.ts';
import type { Account } from '../ledger/index.ts';
import type { MailboxFigures, MailboxTotals } from '../mailbox/index.ts';
import type { Provider } from '../provider.ts';
import { ADMIN_LIMITS } from './limits.ts';
import { ServicesView } from './services-view.ts';

/** One point of the charts. */
export interface Sample {
  timeMs: number;
  /** Jobs that ended since the last sample, a second. */
  jobsPerSecond: number;
  failedPerSecond: number;
  running: number;
  queued: number;
  /** Bytes since the start: what we gave and got, by kind. */
  blocksSent: number;
  blocksRecv: number;
  workSent: number;
  workRecv: number;
  owedToUs: number;
  owedByUs: number;
  connections: number;
  residentBytes: number;
  /** Answers of the gateway since the start. */
  requestsAnswered: number;
}

export interface AccountsView {
  accounts: (Account & { connected: boolean; override: unknown })[];
  /** How many were looked at, and whether there are more. */
  read: number;
  more: boolean;
  totals: Pick<Sample, 'blocksSent' | 'blocksRecv' | 'workSent' | 'workRecv' | 'owedToUs' | 'owedByUs'>;
}

/** What waits for peers that are offline; the mailboxes that take most first. */
export interface MailboxesView {
  mailboxes: (MailboxFigures & { connected: boolean })[];
  mailboxTotals: MailboxTotals;
}

export function mailboxesView({ mailboxes, libp2p }: Provider): MailboxesView {
  const connected = new Set(libp2p.getPeers().map(String));
  const { mailboxes: shown, totals } = mailboxes.figures(ADMIN_LIMITS.mailboxesShownMax);
  return {
    mailboxes: shown.map((mailbox) => ({ ...mailbox, connected: connected.has(mailbox.peer) })),
    mailboxTotals: totals,
  };
}

/** Accounts, those that owe most in either direction first. Reads at most so many; the totals are of these. */
export function accountsView(provider: Provider): AccountsView {
  const { accountsReadMax, accountsShownMax } = ADMIN_LIMITS;
  const totals = { blocksSent: 0, blocksRecv: 0, workSent: 0, workRecv: 0, owedToUs: 0, owedByUs: 0 };
  const all: Account[] = [];
  let more = false;
  for (const account of provider.scoreLedger.accounts()) {
    if (all.length >= accountsReadMax) {
      more = true;
      break;
    }
    all.push(account);
    totals.blocksSent += account.blocksSent;
    totals.blocksRecv += account.blocksRecv;
    totals.workSent += account.workSent;
    totals.workRecv += account.workRecv;
    if (account.balance > 0) totals.owedToUs += account.balance;
    else totals.owedByUs -= account.balance;
  }
  const connected = new Set(provider.libp2p.getPeers().map(String));
  const shown = all
    .map((account) => ({
      ...account,
      connected: connected.has(account.peer),
      override: provider.settings.overrides[account.peer] ?? null,
    }))
    .toSorted((a, b) => Number(b.connected) - Number(a.connected) || Math.abs(b.balance) - Math.abs(a.balance))
    .slice(0, accountsShownMax);
  return { accounts: shown, read: all.length, more, totals };
}

/** Of the provider itself and its jobs, as they are now. */
function jobFigures(provider: Provider): Record<string, unknown> {
  const { activity, tariff, settings } = provider;
  const { jobs, sandbox } = provider.stats();
  const limits = ADMIN_LIMITS;
  return {
    nowMs: Date.now(),
    upMs: Math.round(process.uptime() * 1000),
    peerId: provider.peerId.toString(),
    addrs: provider.addrs,
    connections: provider.libp2p.getConnections().length,
    residentBytes: process.memoryUsage.rss(),
    jobs,
    sandbox,
    tariff: { cid: tariff.cid.toString(), rates: tariff.rates, changedHere: settings.tariff !== undefined },
    live: activity
      .live()
      .toSorted((a, b) => a.startedMs - b.startedMs)
      .slice(0, limits.liveShownMax),
    recent: activity.recent().slice(0, limits.recentShownMax),
    handlers: activity
      .handlers()
      .toSorted((a, b) => b.elapsedMs - a.elapsedMs)
      .slice(0, limits.handlersShownMax),
    failures: activity.failures().toSorted((a, b) => b.lastMs - a.lastMs),
    wants: provider.bitswap.wantlist().slice(0, limits.handlersShownMax).map(String),
  };
}

/** Takes a sample from time to time and keeps the last hour of them. */
export class Sampler {
  readonly #provider: Provider;
  readonly #gateway: Gateway | undefined;
  readonly #services: ServicesView;
  readonly #samples: Sample[] = [];
  readonly #listeners = new Set<(sample: Sample) => void>();
  #accounts: AccountsView;
  #mailboxes: MailboxesView;
  /** When accounts and mailboxes are read next: seldom when there are many. */
  #dueMs = 0;
  #lastEnded = { finished: 0, failed: 0, timeMs: Date.now() };
  #timer: NodeJS.Timeout | undefined;

  constructor(provider: Provider, gateway: Gateway | undefined) {
    this.#provider = provider;
    this.#gateway = gateway;
    this.#services = new ServicesView(provider);
    this.#accounts = accountsView(provider);
    this.#mailboxes = mailboxesView(provider);
  }

  start(): void {
    this.#take();
    this.#timer = setInterval(() => this.#take(), ADMIN_LIMITS.samplePeriodMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
  }

  /** All that the page shows but the samples. */
  async figures(): Promise<Record<string, unknown>> {
    const gateway = this.#gateway && { url: this.#gateway.url, ...this.#gateway.stats() };
    const services = await this.#services.read();
    return {
      ...jobFigures(this.#provider),
      ...this.#accounts,
      ...this.#mailboxes,
      ...services,
      gateway: gateway ?? null,
    };
  }

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  /** At most some seconds old. */
  get accounts(): AccountsView {
    return this.#accounts;
  }

  /** As old as the accounts. */
  get mailboxes(): MailboxTotals {
    return this.#mailboxes.mailboxTotals;
  }

  /** After a change by the operator. */
  refresh(): void {
    const startedMs = performance.now();
    this.#accounts = accountsView(this.#provider);
    this.#mailboxes = mailboxesView(this.#provider);
    const nowMs = performance.now();
    this.#dueMs = nowMs + (nowMs - startedMs) * ADMIN_LIMITS.readingShare;
  }

  onSample(listener: (sample: Sample) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get watchers(): number {
    return this.#listeners.size;
  }

  #take(): void {
    // Of a node that stops there is nothing to tell any more: its ledger may be closed.
    if (this.#provider.libp2p.status !== 'started') return;
    if (performance.now() >= this.#dueMs) this.refresh();
    const { jobs, sandbox } = this.#provider.stats();
    const timeMs = Date.now();
    const seconds = Math.max(0.001, (timeMs - this.#lastEnded.timeMs) / 1000);
    const sample: Sample = {
      timeMs,
      jobsPerSecond: (jobs.finished - this.#lastEnded.finished) / seconds,
      failedPerSecond: (jobs.failed + jobs.refused - this.#lastEnded.failed) / seconds,
      running: jobs.running,
      queued: sandbox.queued,
      ...this.#accounts.totals,
      connections: this.#provider.libp2p.getConnections().length,
      residentBytes: process.memoryUsage.rss(),
      requestsAnswered: this.#gateway?.stats().requestsAnswered ?? 0,
    };
    this.#lastEnded = { finished: jobs.finished, failed: jobs.failed + jobs.refused, timeMs };
    this.#samples.push(sample);
    if (this.#samples.length > ADMIN_LIMITS.samplesMax) this.#samples.shift();
    for (const listener of this.#listeners) listener(sample);
  }
}
