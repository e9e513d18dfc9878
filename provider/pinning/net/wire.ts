import { encode } from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import { z } from 'zod';
import { DocumentError } from '../../../sdk/protocol/index.ts';
import { decodeMap } from '../../../sdk/protocol/signed.ts';
import { decodeAnswer, type ExchangeProtocol } from '../../net/index.ts';
import {
  CID_LENGTH_MAX,
  CIDS_IN_FILTER_MAX,
  DEVICE_LENGTH_MAX,
  META_ENTRIES_MAX,
  NAME_LENGTH_MAX,
  ORIGIN_LENGTH_MAX,
  ORIGINS_MAX,
  RESULTS_MAX,
  TOKENS_PER_OWNER_MAX,
} from '../limits.ts';
import { PIN_STATUSES, type Pin } from '../types.ts';

export const PINNING_EXCHANGE: ExchangeProtocol = {
  name: '/workswap/pinning/1.0.0',
  /** A page of pins; it is cut where it would be longer. */
  messageBytesMax: 1024 * 1024,
  streamsPerConnectionMax: 16,
  streamsMax: 128,
  timeoutMs: 10_000,
};
/** The most that the pins of one answer take. */
export const PAGE_BYTES_MAX = 768 * 1024;

const count = z.number().int().nonnegative();
const text = z.string().max(1024);
const id = z.string().max(64);
const meta = z.record(z.string(), z.string()).refine((map) => Object.keys(map).length <= META_ENTRIES_MAX);

const request = z.strictObject({
  cid: z.string().max(CID_LENGTH_MAX),
  name: z
    .string()
    .max(2 * NAME_LENGTH_MAX)
    .optional(),
  origins: z.array(z.string().max(ORIGIN_LENGTH_MAX)).max(ORIGINS_MAX),
  meta,
});

const filter = z.strictObject({
  cids: z.array(z.string().max(CID_LENGTH_MAX)).max(CIDS_IN_FILTER_MAX).optional(),
  name: z
    .string()
    .max(2 * NAME_LENGTH_MAX)
    .optional(),
  match: z.enum(['exact', 'iexact', 'partial', 'ipartial']).optional(),
  statuses: z.array(z.enum(PIN_STATUSES)).max(PIN_STATUSES.length).optional(),
  beforeMs: count.optional(),
  afterMs: count.optional(),
  meta: meta.optional(),
  limit: count.max(RESULTS_MAX).optional(),
});

/** One question on a stream of /workswap/pinning/1.0.0, a DAG-CBOR map. */
const questions = z.discriminatedUnion('ask', [
  z.strictObject({ ask: z.literal('add'), pin: request }),
  /** `all`: of every owner, for this provider's own commands. */
  z.strictObject({ ask: z.literal('list'), filter, all: z.boolean().optional() }),
  z.strictObject({ ask: z.literal('get'), id }),
  z.strictObject({ ask: z.literal('remove'), id }),
  z.strictObject({
    ask: z.literal('token-create'),
    device: z.string().max(DEVICE_LENGTH_MAX),
    expiresMs: count.optional(),
  }),
  /** Starts, or tells how far it is. */
  z.strictObject({ ask: z.literal('verify'), id, start: z.boolean() }),
  z.strictObject({ ask: z.literal('collect'), start: z.boolean(), dryRun: z.boolean() }),
  z.strictObject({ ask: z.literal('token-list') }),
  z.strictObject({ ask: z.literal('token-revoke'), id }),
]);

export type Question = z.output<typeof questions>;

const pinView = z.object({
  id,
  owner: z.string().max(128),
  cid: z.string().max(CID_LENGTH_MAX),
  name: z
    .string()
    .max(2 * NAME_LENGTH_MAX)
    .optional(),
  origins: z.array(z.string()).max(ORIGINS_MAX),
  meta,
  createdMs: count,
  status: z.enum(PIN_STATUSES),
  blocks: count,
  bytes: count,
  attempts: count,
  nextMs: count.optional(),
  error: z.object({ code: z.string().max(64), message: text }).optional(),
  pinnedMs: count.optional(),
  paidUntilMs: count.optional(),
  paidBytes: count,
  /** In base64. */
  receipt: z
    .string()
    .max(8 * 1024)
    .optional(),
});

/** A pin as its owner sees it. */
export type PinView = z.output<typeof pinView>;

export function viewOf({ root: _root, receipt, ...pin }: Pin): PinView {
  return receipt === undefined ? pin : { ...pin, receipt: Buffer.from(receipt).toString('base64') };
}

const tokenInfo = z.object({
  id,
  device: z.string().max(DEVICE_LENGTH_MAX),
  createdMs: count,
  expiresMs: count.optional(),
  usedMs: count.optional(),
});

const verification = z.object({
  isRunning: z.boolean(),
  blocks: count,
  bytes: count,
  missing: z.array(text),
  corrupt: z.array(text),
});

const collection = z.object({
  isRunning: z.boolean(),
  dryRun: z.boolean(),
  marked: count,
  kept: count,
  removed: count,
  removedBytes: count,
  startedMs: count,
  endedMs: count.optional(),
  error: text.optional(),
});

const answers = {
  add: z.object({ pin: pinView }),
  get: z.object({ pin: pinView }),
  list: z.object({ count, pins: z.array(pinView).max(RESULTS_MAX) }),
  remove: z.object({}),
  verify: z.object({ verification: verification.optional() }),
  collect: z.object({ collection: collection.optional() }),
  'token-create': tokenInfo.extend({ token: z.string().max(256) }),
  'token-list': z.object({ tokens: z.array(tokenInfo).max(TOKENS_PER_OWNER_MAX) }),
  'token-revoke': z.object({}),
};

export type AnswerTo<Ask extends Question['ask']> = z.output<(typeof answers)[Ask]>;

/** Fields that are undefined are left out. */
export function encodeQuestion(question: Question): Uint8Array {
  return encode(JSON.parse(JSON.stringify(question)));
}

/** @throws DocumentError */
export function decodeQuestion(bytes: Uint8Array): Question {
  return parse(questions, decodeMap('question', bytes)) as Question;
}

/** @throws RefusedError, DocumentError */
export function decodeAnswerTo<Ask extends Question['ask']>(ask: Ask, bytes: Uint8Array): AnswerTo<Ask> {
  return parse(answers[ask], decodeAnswer(bytes)) as AnswerTo<Ask>;
}

export function cidsOf(texts: readonly string[]): CID[] {
  try {
    return texts.map((one) => CID.parse(one));
  } catch {
    throw new DocumentError('message', 'it has something that is not a CID where one belongs');
  }
}

function parse(schema: z.ZodType, value: unknown): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new DocumentError('message', `${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'it is of another shape'}`);
}
