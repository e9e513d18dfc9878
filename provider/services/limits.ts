const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;

/** What hosting and naming services may take. */
export const SERVICES_LIMITS = {
  /** Services one provider hosts, and those of one maintainer among them. */
  servicesMax: 1024,
  servicesPerMaintainerMax: 128,
  /** Host requests under way, and those of one maintainer. */
  hostingsMax: 4,
  hostingsPerMaintainerMax: 1,
  /** Static files of one service. */
  siteBytesMax: 1024 * MIB,
  siteBlocksMax: 65_536,
  /** Commits of a service that moves here, with their states, tasks and inputs. */
  historyBytesMax: 16 * 1024 * MIB,
  historyBlocksMax: 4_000_000,
  /** From a host request to the acceptance: fetching, compiling, importing a state. */
  hostTimeoutMs: 300_000,
  /** One question to one peer about a name. */
  askTimeoutMs: 5_000,
  /** All ways together to find out what a name stands for. */
  resolveTimeoutMs: 20_000,
  /** Connected peers that are asked about a name at once. */
  peersAskedMax: 8,
  /** Names that are remembered, so that an older record is refused; the one used longest ago is forgotten. */
  namesMax: 10_000,
  /** How long a record is used without asking again, whatever its TTL says. */
  cacheMsMin: 1_000,
  cacheMsMax: 5 * 60_000,
  /** An acceptance lives this long and is renewed at half of it. */
  acceptanceMs: 24 * HOUR_MS,
  /** What a maintainer pays for one visitor in an hour; beyond it visitors pay themselves. */
  sponsoredBytesPerVisitorMax: 256 * MIB,
  sponsoredVisitorsMax: 10_000,
  /** Commits that one question about a history answers. */
  historyMax: 1_000,
} as const;

export type ServicesLimits = { readonly [name in keyof typeof SERVICES_LIMITS]: number };
export type SponsoringLimits = Pick<ServicesLimits, 'sponsoredBytesPerVisitorMax' | 'sponsoredVisitorsMax'>;

/** A descriptor and its record are valid this long unless the maintainer says otherwise. */
export const DESCRIPTOR_MS_DEFAULT = 365 * 24 * HOUR_MS;
/** How long others may use a record without asking again. */
export const RECORD_TTL_MS = 60_000;
