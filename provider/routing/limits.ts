const KIB = 1024;
const MIB = 1024 * KIB;

/** What a router may make us hold or wait for. */
export interface RoutingLimits {
  /** Providers that one search hands on, from all routers together; each router has an equal share. */
  providersMax: number;
  /** From the question to the end of a delegated router's answer. */
  answerTimeoutMs: number;
  /** Bytes of a delegated router's answer, after decompression. */
  answerBytesMax: number;
  /** Bytes of one record in it. */
  recordBytesMax: number;
  /** Addresses that are kept of one provider. */
  addressesPerProviderMax: number;
  /** Provider records that a DHT server keeps for others; the oldest give way. */
  dhtRecordsBytesMax: number;
  /** What we remember about peers that we heard of; the oldest give way. */
  peersBytesMax: number;
  /** CIDs that are announced. Each costs a walk through the DHT and messages to twenty peers. */
  announcedMax: number;
  /** CIDs that are announced at the same time. */
  announcementsMax: number;
  announceTimeoutMs: number;
  /** Pause after an announcement that reached nobody; doubles each time. */
  announceRetryMs: number;
}

export const ROUTING_LIMITS: RoutingLimits = {
  providersMax: 10,
  answerTimeoutMs: 10_000,
  answerBytesMax: MIB,
  recordBytesMax: 16 * KIB,
  addressesPerProviderMax: 16,
  dhtRecordsBytesMax: 32 * MIB,
  peersBytesMax: 32 * MIB,
  announcedMax: 10_000,
  announcementsMax: 4,
  announceTimeoutMs: 60_000,
  announceRetryMs: 1_000,
};
