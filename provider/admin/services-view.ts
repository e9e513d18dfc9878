import type { Provider } from '../provider.ts';
import type { HostedService } from '../services/index.ts';
import { ADMIN_LIMITS } from './limits.ts';

/** One commit of a service's state. */
export interface CommitFigures {
  commit: string;
  /** Root of the state after it. */
  root: string;
  /** Updates in it; none for a rollback. */
  updates: number;
  timeMs: number;
}

export interface ServiceFigures {
  service: string;
  /** The name that this node gives it. */
  short?: string;
  handler: string;
  site?: string;
  maintainer: string;
  sponsor: HostedService['sponsor'];
  /** When its descriptor ends. */
  expiresMs: number;
  root: string;
  /** That were made here. */
  commits: number;
  /** The newest of them first. */
  history: CommitFigures[];
  messages: MessagesView;
}

/** What the service sent and is not delivered. */
export interface MessagesView {
  waiting: number;
  waitingBytes: number;
  /** To whom messages wait, or were given up, and why; those that wait first. */
  undelivered: { to: string; code: string; reason: string; endedMs?: number }[];
}

export interface ServicesFigures {
  hosted: number;
  /** Those with the most commits first. */
  services: ServiceFigures[];
}

/** Services that are hosted here. A history is read again only when there is a new commit. */
export class ServicesView {
  readonly #provider: Provider;
  readonly #histories = new Map<string, { commit: string; read: Promise<CommitFigures[]> }>();

  constructor(provider: Provider) {
    this.#provider = provider;
  }

  async read(): Promise<ServicesFigures> {
    const { services } = this.#provider;
    const hosted = services.list();
    const shown = hosted.toSorted((a, b) => b.commits - a.commits).slice(0, ADMIN_LIMITS.servicesShownMax);
    const names = new Set(shown.map(({ name }) => name));
    for (const name of this.#histories.keys()) if (!names.has(name)) this.#histories.delete(name);
    return { hosted: hosted.length, services: await Promise.all(shown.map((service) => this.#figuresOf(service))) };
  }

  async #figuresOf(service: HostedService): Promise<ServiceFigures> {
    const { name, handler, site, maintainer, sponsor, expiresMs, root, commits } = service;
    const short = this.#provider.services.shortNameOf(name);
    return {
      service: name,
      ...(short === undefined ? {} : { short }),
      handler: handler.toString(),
      ...(site === undefined ? {} : { site: site.toString() }),
      maintainer,
      sponsor,
      expiresMs,
      root: root.toString(),
      commits,
      history: await this.#historyOf(service),
      messages: this.#messagesOf(name),
    };
  }

  #messagesOf(service: string): MessagesView {
    const { waiting, waitingBytes, holdups, ended } = this.#provider.messages.figures(service);
    const undelivered = [
      ...holdups.map(({ to, code, reason }) => ({ to, code, reason })),
      ...ended.map(({ to, code, reason, endedMs }) => ({ to, code, reason, endedMs })),
    ];
    return { waiting, waitingBytes, undelivered: undelivered.slice(0, ADMIN_LIMITS.messagesShownMax) };
  }

  #historyOf({ name, commit }: HostedService): Promise<CommitFigures[]> {
    if (commit === undefined) return Promise.resolve([]);
    const newest = commit.toString();
    const known = this.#histories.get(name);
    if (known?.commit === newest) return known.read;
    // Of a state that was brought here, a commit may have to be fetched.
    const signal = AbortSignal.timeout(ADMIN_LIMITS.historyTimeoutMs);
    const read = this.#provider.services
      .history(name, { from: commit, limit: ADMIN_LIMITS.historyShownMax, signal })
      .then((entries) =>
        entries.map(({ cid, after, tasks, timeMs }) => ({
          commit: cid.toString(),
          root: after.toString(),
          updates: tasks.length,
          timeMs,
        })),
      )
      .catch(() => {
        this.#histories.delete(name);
        return [];
      });
    this.#histories.set(name, { commit: newest, read });
    return read;
  }
}
