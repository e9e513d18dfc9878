import type { PrivateKey } from '@libp2p/interface';
import { sealDescriptor, serviceName, type Descriptor, type SealedDescriptor } from '../../../sdk/protocol/index.ts';
import { DESCRIPTOR_MS_DEFAULT } from '../limits.ts';
import { createRecord } from '../names/index.ts';

/** A descriptor and the IPNS record that names it: what an endpoint is asked to host. */
export interface Publication {
  name: string;
  sealed: SealedDescriptor;
  descriptor: Uint8Array;
  record: Uint8Array;
}

export type ServiceFields = Omit<Descriptor, 'name' | 'sequence' | 'expiresMs' | 'policy'> & {
  sponsor?: Descriptor['policy']['sponsor'];
  expiresMs?: number;
};

/** Signs a service's next descriptor and record. `sequence` is one more than that of the last. */
export async function makePublication(
  key: PrivateKey,
  { sponsor = 'caller', expiresMs, ...fields }: ServiceFields,
  sequence: number,
): Promise<Publication> {
  const until = expiresMs ?? Date.now() + DESCRIPTOR_MS_DEFAULT;
  const sealed = await sealDescriptor(
    { ...fields, policy: { query: 'open', update: 'open', sponsor }, sequence, expiresMs: until },
    key,
  );
  const record = await createRecord(key, { descriptor: sealed.cid, sequence, expiresMs: until });
  return { name: serviceName(key.publicKey), sealed, descriptor: sealed.bytes, record };
}
