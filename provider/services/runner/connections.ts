import type { Client } from '../../../sdk/client/index.ts';

type Connect = (addrs: string[], options: { signal: AbortSignal }) => Promise<Client>;
const CLIENTS_MAX = 64;

/** One client for each endpoint, for as long as it works. */
export class Connections {
  readonly #connect: Connect;
  readonly #clients = new Map<string, Promise<Client>>();

  constructor(connect: Connect) {
    this.#connect = connect;
  }

  to(peer: string, addrs: string[], timeoutMs: number): Promise<Client> {
    const known = this.#clients.get(peer);
    if (known !== undefined) return known;
    // Shared by all who wait for it, so no one of them can cancel it.
    const connecting = this.#connect(addrs, { signal: AbortSignal.timeout(timeoutMs) });
    this.#clients.set(peer, connecting);
    connecting.catch(() => this.drop(peer));
    if (this.#clients.size > CLIENTS_MAX) this.drop(this.#clients.keys().next().value!);
    return connecting;
  }

  drop(peer: string): void {
    const client = this.#clients.get(peer);
    this.#clients.delete(peer);
    void client?.then(
      (open) => open.close(),
      () => {},
    );
  }

  close(): void {
    for (const peer of [...this.#clients.keys()]) this.drop(peer);
  }
}
