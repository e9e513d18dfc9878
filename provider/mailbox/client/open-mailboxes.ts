import type { PrivateKey } from '@libp2p/interface';
import type { Endpoint } from '../../../sdk/protocol/index.ts';
import { makeMailboxPublication } from '../publication.ts';
import { DEFAULT_SETTINGS, type MailboxSettings } from '../types.ts';
import type { MailboxClient } from './client.ts';

const RECORD_MS = 365 * 24 * 3_600_000;

/**
 * Opens a mailbox at each of the endpoints and publishes the record that names them.
 * @returns the endpoints that took it; @throws the first refusal when none did
 */
export async function openMailboxesAt(
  client: MailboxClient,
  endpoints: readonly Endpoint[],
  {
    key,
    mailKey,
    settings = DEFAULT_SETTINGS,
    signal,
  }: {
    key: PrivateKey;
    mailKey?: string;
    settings?: MailboxSettings;
    signal?: AbortSignal;
  },
): Promise<{ peer: string; error?: Error }[]> {
  const { libp2p } = client.node;
  // Those who keep the last record can tell what it was.
  await Promise.allSettled(endpoints.map((endpoint) => client.at(endpoint, signal)));
  const known = await client.find(libp2p.peerId, signal).catch(() => undefined);
  const record = {
    endpoints: [...endpoints],
    ...(mailKey === undefined ? {} : { mailKey }),
    // Larger than any before, also where nobody can be asked what was before.
    sequence: Math.max(Date.now(), (known?.sequence ?? 0) + 1),
    expiresMs: Date.now() + RECORD_MS,
  };
  const publication = await makeMailboxPublication(record, key);
  const results = await Promise.all(
    endpoints.map(async (endpoint) => {
      try {
        await (await client.at(endpoint, signal)).open(settings, publication, signal);
        return { peer: endpoint.peer };
      } catch (error) {
        return { peer: endpoint.peer, error: error as Error };
      }
    }),
  );
  if (results.length > 0 && results.every(({ error }) => error !== undefined)) throw results[0]!.error!;
  return results;
}
