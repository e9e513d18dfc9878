export { RecordError, ServiceKeyError, type RecordReason } from './errors.ts';
export { isShortName, ServiceKeys } from './keys.ts';
export {
  checkRecord,
  createRecord,
  descriptorOf,
  isNewer,
  RECORD_BYTES_MAX,
  refuseOlder,
  type NameRecord,
} from './records.ts';
export { NameStore } from './store.ts';
export { DNSLINK_KEPT_MS, DnsLink, openDnsLink } from './dnslink.ts';
export { PeersSource } from './peers-source.ts';
export { Publisher } from './publisher.ts';
export { NameResolver, type NameAnswer, type NameSource, type ResolvedName } from './resolver.ts';
export { DelegatedNames, DhtNames, type NameRouter } from './routing-sources.ts';
