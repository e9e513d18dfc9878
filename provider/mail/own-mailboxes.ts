import type { PrivateKey } from '@libp2p/interface';
import type { Endpoint } from '../../sdk/protocol/index.ts';
import { openMailboxesAt, type MailboxClient, type MailboxSettings } from '../mailbox/index.ts';
import { mailKeyOf } from './age.ts';
import { MailError } from './errors.ts';
import type { MailSettings, MailStore } from './store.ts';

export interface OwnMailboxesInit {
  client: MailboxClient;
  store: MailStore;
  key: PrivateKey;
  /** Our age identity. */
  identity: string;
}

/** What became of closing one mailbox. */
export interface ClosedMailbox {
  peer: string;
  /** Letters that another device had taken and not kept yet, and that are gone. */
  messages?: number;
  error?: Error;
}

const NOBODY: Omit<MailboxSettings, 'payer'> = { accept: 'nobody', allowed: [], blocked: [] };

/** Our mailboxes: at which providers they are, and what those were told. One change after the other. */
export class OwnMailboxes {
  readonly #init: OwnMailboxesInit;
  #last: Promise<unknown> = Promise.resolve();

  constructor(init: OwnMailboxesInit) {
    this.#init = init;
  }

  /** Opens them at these providers, and publishes that they are ours and what to encrypt to. */
  async openAt(
    endpoints: readonly Endpoint[],
    settings: MailSettings,
    signal?: AbortSignal,
  ): Promise<{ peer: string; error?: Error }[]> {
    return this.#inTurn(() => this.#openAt(endpoints, settings, signal));
  }

  /** Tells all of them whose letters they take by now. */
  async openAgain(): Promise<void> {
    await this.#inTurn(async () => {
      const { store } = this.#init;
      if (store.endpoints().length > 0) await this.#openAt(store.endpoints(), store.settings());
    });
  }

  /** Those that were not closed in the end, since we were killed or they could not be told so, take letters again. */
  async openUnclosed(signal?: AbortSignal): Promise<void> {
    await this.#inTurn(() => this.#openUnclosed(signal));
  }

  /**
   * Closes those at these providers: the record names them no more, then nobody can put anything there, then what waits is
   * taken. So no letter is lost. One that cannot be reached, emptied or closed stays ours, as it was.
   * @param take takes what waits at these; answers which could not be asked
   * @throws MailError NO_MAILBOX; what `openAt` throws, before anything was closed
   */
  async closeAt(
    peers: readonly string[],
    take: (endpoints: readonly Endpoint[]) => Promise<{ provider: string; error: Error }[]>,
    signal?: AbortSignal,
  ): Promise<ClosedMailbox[]> {
    return this.#inTurn(() => this.#closeAt(peers, take, signal));
  }

  async #closeAt(...[peers, take, signal]: Parameters<OwnMailboxes['closeAt']>): Promise<ClosedMailbox[]> {
    const { client, store } = this.#init;
    const all = store.endpoints();
    const stranger = peers.find((peer) => all.every((endpoint) => endpoint.peer !== peer));
    if (stranger !== undefined) throw new MailError('NO_MAILBOX', `You have no mailbox at ${stranger.slice(0, 100)}.`);
    const asked = all.filter(({ peer }) => peers.includes(peer));
    const reached = await Promise.allSettled(asked.map((endpoint) => client.at(endpoint, signal)));
    const going = asked.filter((_, i) => reached[i]!.status === 'fulfilled');
    const settings = store.settings();
    const kept = all.filter((endpoint) => !going.includes(endpoint));
    // Before anybody is told: if we are killed from here on, the next of us knows.
    const closing = [...store.closing(), ...going.map(({ peer }) => peer)];
    store.setEndpoints(all, settings, closing);
    if (going.length > 0 && kept.length > 0) await this.#publish(kept, settings, signal);
    const closed = await Promise.all(
      asked.map(async (endpoint): Promise<ClosedMailbox> => {
        const { peer } = endpoint;
        try {
          const mailbox = await client.at(endpoint, signal);
          await mailbox.open({ ...NOBODY, payer: settings.payer }, undefined, signal);
          for (const { error } of await take([endpoint])) throw error;
          return { peer, messages: (await mailbox.closeMailbox(signal)).messages };
        } catch (error) {
          return { peer, error: error as Error };
        }
      }),
    );
    const isOurs = ({ peer }: Endpoint): boolean => closed.every((one) => one.peer !== peer || one.error !== undefined);
    store.setEndpoints(all.filter(isOurs), settings, closing);
    // One that was not to be emptied or closed takes letters again; one that cannot be told now is told later.
    await this.#openUnclosed().catch(() => {});
    return closed;
  }

  async #openUnclosed(signal?: AbortSignal): Promise<void> {
    const { store } = this.#init;
    if (store.closing().length > 0) await this.#openAt(store.endpoints(), store.settings(), signal);
  }

  async #openAt(
    ...[endpoints, settings, signal]: Parameters<OwnMailboxes['openAt']>
  ): ReturnType<OwnMailboxes['openAt']> {
    const { store } = this.#init;
    const opened = await this.#publish(endpoints, settings, signal);
    const isUntold = (peer: string): boolean => opened.some((one) => one.peer === peer && one.error !== undefined);
    store.setEndpoints(endpoints, settings, store.closing().filter(isUntold));
    return opened;
  }

  async #publish(
    endpoints: readonly Endpoint[],
    settings: MailSettings,
    signal?: AbortSignal,
  ): Promise<{ peer: string; error?: Error }[]> {
    const { client, store, key, identity } = this.#init;
    const { payer, accept } = settings;
    const mailboxSettings: MailboxSettings = {
      payer,
      accept: accept === 'contacts' ? 'allowed' : 'anyone',
      allowed: accept === 'contacts' ? store.contacts().map(({ peer }) => peer) : [],
      blocked: store.blocked(),
    };
    return openMailboxesAt(client, endpoints, {
      key,
      mailKey: await mailKeyOf(identity),
      settings: mailboxSettings,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** A mailbox that is told in between to take letters would take some that nobody fetches before it is closed. */
  async #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#last.then(change);
    this.#last = changed.catch(() => {});
    return changed;
  }
}
