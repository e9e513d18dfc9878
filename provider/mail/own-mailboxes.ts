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

const NOBODY: Omit<MailboxSettings, 'payer'> = { accept: 'allowed', allowed: [], blocked: [] };

/** Our mailboxes: at which providers they are, and what those were told. */
export class OwnMailboxes {
  readonly #init: OwnMailboxesInit;

  constructor(init: OwnMailboxesInit) {
    this.#init = init;
  }

  /** Opens them at these providers, and publishes that they are ours and what to encrypt to. */
  async openAt(
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
    const opened = await openMailboxesAt(client, endpoints, {
      key,
      mailKey: await mailKeyOf(identity),
      settings: mailboxSettings,
      ...(signal === undefined ? {} : { signal }),
    });
    store.setEndpoints(endpoints, settings);
    return opened;
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
    const { client, store } = this.#init;
    const all = store.endpoints();
    const stranger = peers.find((peer) => all.every((endpoint) => endpoint.peer !== peer));
    if (stranger !== undefined) throw new MailError('NO_MAILBOX', `You have no mailbox at ${stranger.slice(0, 100)}.`);
    const asked = all.filter(({ peer }) => peers.includes(peer));
    const reached = await Promise.allSettled(asked.map((endpoint) => client.at(endpoint, signal)));
    const going = asked.filter((_, i) => reached[i]!.status === 'fulfilled');
    const settings = store.settings();
    const kept = all.filter((endpoint) => !going.includes(endpoint));
    if (kept.length > 0) await this.openAt(kept, settings, signal);
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
    const ours = all.filter(isOurs);
    store.setEndpoints(ours, settings);
    // One that was not to be emptied or closed is still ours, and takes letters again; if it cannot be told, it was said why.
    if (ours.some((endpoint) => going.includes(endpoint))) await this.openAt(ours, settings).catch(() => {});
    return closed;
  }
}
