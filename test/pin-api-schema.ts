import { z } from 'zod';

/**
 * The objects of the IPFS Pinning Service API 1.0.0, after its OpenAPI description: what every answer has to be. Written
 * apart from the implementation, so that the two can differ.
 */
const text = z.string();
const dateTime = text.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
const texts = z.record(text, text).refine((map) => Object.keys(map).length <= 1000);
const isUnique = (values: unknown[]): boolean =>
  new Set(values.map((one) => JSON.stringify(one))).size === values.length;

export const pinSchema = z.strictObject({
  cid: text.min(1),
  name: text.refine((name) => [...name].length <= 255).optional(),
  origins: z.array(text).max(20).refine(isUnique).optional(),
  meta: texts.optional(),
});

export const pinStatusSchema = z.strictObject({
  requestid: text.min(1),
  status: z.enum(['queued', 'pinning', 'pinned', 'failed']),
  created: dateTime,
  pin: pinSchema,
  delegates: z.array(text).min(1).max(20).refine(isUnique),
  info: texts.optional(),
});

export const pinResultsSchema = z.strictObject({
  count: z.number().int().min(0),
  results: z.array(pinStatusSchema).max(1000).refine(isUnique),
});

export const failureSchema = z.strictObject({
  error: z.strictObject({ reason: text.regex(/^[A-Z_]+$/), details: text.optional() }),
});

export type PinStatusObject = z.output<typeof pinStatusSchema>;

/** Any answer that was checked; which of these it is its status and path say. */
export type AnswerObject = PinStatusObject & z.output<typeof pinResultsSchema> & z.output<typeof failureSchema>;

/** The statuses that the description gives to every call. */
export function schemaOf(method: string, status: number, isOne: boolean): z.ZodType | undefined {
  if (status >= 400) return failureSchema;
  if (method === 'DELETE') return status === 202 ? undefined : z.never();
  if (method === 'POST') return status === 202 ? pinStatusSchema : z.never();
  if (status !== 200) return z.never();
  return isOne ? pinStatusSchema : pinResultsSchema;
}
