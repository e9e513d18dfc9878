import type { PrivateKey } from '@libp2p/interface';
import type { CID } from 'multiformats/cid';
import { dagCborCid } from './cids.ts';
import { DocumentError, isCount, isMap, openDocument, sealDocument } from './signed.ts';
import type { TariffRates } from './tariff.ts';

/** A provider's signed tariff. Receipts and quotes name it by its CID. */
export interface Tariff {
  cid: CID;
  bytes: Uint8Array;
  rates: TariffRates;
  provider: string;
}

const RATES: (keyof TariffRates)[] = ['job', 'compile', 'input', 'output', 'read', 'write', 'fuel', 'memory'];
/** High enough for any price that makes sense, low enough that no price component leaves the safe integers. */
const RATE_MAX = 10 ** 12;

export async function sealTariff(rates: TariffRates, key: PrivateKey): Promise<Tariff> {
  return openTariff(await sealDocument('tariff', { version: 1, rates }, key));
}

/** @throws DocumentError when the block is not a tariff signed by the peer that it names. */
export async function openTariff(bytes: Uint8Array): Promise<Tariff> {
  const { payload, signer } = await openDocument('tariff', bytes);
  const { rates } = payload;
  if (payload['version'] !== 1) throw new DocumentError('tariff', `version ${String(payload['version'])} is not known`);
  if (!isMap(rates)) throw new DocumentError('tariff', 'it has no rates');
  const checked = {} as TariffRates;
  for (const name of RATES) {
    const rate = rates[name];
    if (!isCount(rate) || rate > RATE_MAX)
      throw new DocumentError('tariff', `rate ${name} is not a count up to ${RATE_MAX}`);
    checked[name] = rate;
  }
  return { cid: dagCborCid(bytes), bytes, rates: checked, provider: signer };
}
