import type { PrivateKey } from '@libp2p/interface';
import type { CID } from 'multiformats/cid';
import { sealAcceptance, type SealedDescriptor, type Tariff } from '../../../sdk/protocol/index.ts';
import type { ServiceState } from '../state/index.ts';
import type { HostedService } from '../types.ts';

/** A hosted service with its state. A newer descriptor makes a new one of these around the same state. */
export class Hosted implements HostedService {
  readonly sealed: SealedDescriptor;
  readonly maintainer: string;
  readonly state: ServiceState;
  #acceptance: { bytes: Uint8Array; tariff: CID; renewMs: number } | undefined;

  constructor(sealed: SealedDescriptor, maintainer: string, state: ServiceState) {
    this.sealed = sealed;
    this.maintainer = maintainer;
    this.state = state;
  }

  get name(): string {
    return this.sealed.descriptor.name;
  }

  get handler(): CID {
    return this.sealed.descriptor.handler;
  }

  get site(): CID | undefined {
    return this.sealed.descriptor.site;
  }

  get descriptor(): CID {
    return this.sealed.cid;
  }

  get sponsor(): HostedService['sponsor'] {
    return this.sealed.descriptor.policy.sponsor;
  }

  get root(): CID {
    return this.state.root;
  }

  get commit(): CID | undefined {
    return this.state.commit;
  }

  get commits(): number {
    return this.state.commits;
  }

  get expiresMs(): number {
    return this.sealed.descriptor.expiresMs;
  }

  /** Our signed word for this descriptor at the tariff in force: one signature for all who ask in half its life. */
  async acceptance(tariff: Tariff, key: PrivateKey, lifeMs: number, nowMs: number): Promise<Uint8Array> {
    const known = this.#acceptance;
    if (known !== undefined && known.tariff.equals(tariff.cid) && nowMs < known.renewMs) return known.bytes;
    const expiresMs = Math.min(nowMs + lifeMs, this.expiresMs);
    const bytes = await sealAcceptance(
      { service: this.name, descriptor: this.descriptor, tariff: tariff.cid, expiresMs },
      key,
    );
    this.#acceptance = { bytes, tariff: tariff.cid, renewMs: nowMs + (expiresMs - nowMs) / 2 };
    return bytes;
  }
}
