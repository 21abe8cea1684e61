import * as z from 'zod'
import { RequestMatch } from './request-match.ts'

const shared = {
  /** Which requests; everything left out matches. */
  match: RequestMatch.default({}),
  /** After so many matches the fault is over; left out, it lasts until it is cleared. */
  times: z.int().positive().optional(),
}
const status = z.int().min(200).max(599)
const afterBytes = z.int().nonnegative().default(0)

/** A misbehaviour of the server. */
export const Fault = z.discriminatedUnion('kind', [
  /** Connections are reset as soon as they are made; `match` is ignored, nothing was asked yet. */
  z.strictObject({ ...shared, kind: z.literal('refuse') }),
  /** The connection is reset instead of an answer. */
  z.strictObject({ ...shared, kind: z.literal('reset') }),
  /** No answer ever; the connection stays open. */
  z.strictObject({ ...shared, kind: z.literal('hang') }),
  /** The connection is cut after so many bytes of the body. */
  z.strictObject({ ...shared, kind: z.literal('cut'), afterBytes }),
  /** The body ends properly but too early: broken JSON with a correct framing. */
  z.strictObject({ ...shared, kind: z.literal('truncate'), afterBytes }),
  /** Another status with a plain text body. */
  z.strictObject({
    ...shared,
    kind: z.literal('status'),
    status,
    body: z.string().default('simulated failure'),
    headers: z.record(z.string(), z.string()).default({}),
  }),
  /** A page of some proxy in between. */
  z.strictObject({ ...shared, kind: z.literal('html'), status: status.default(502) }),
  /** A redirect to somewhere else. */
  z.strictObject({ ...shared, kind: z.literal('redirect'), location: z.string(), status: status.default(302) }),
  /** Another body with status 200 and the JSON content type; the empty text is a 200 without a body. */
  z.strictObject({ ...shared, kind: z.literal('body'), body: z.string() }),
  /**
   * One row of a list is odd: the first with the fields of `where` gets those of `set`, or is
   * replaced when `set` is no object.
   */
  z.strictObject({
    ...shared,
    kind: z.literal('row'),
    where: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).default({}),
    set: z.json(),
  }),
  /** First byte after `delayMs`, then `chunkBytes` every `intervalMs`. */
  z.strictObject({
    ...shared,
    kind: z.literal('slow'),
    delayMs: z.int().nonnegative().default(0),
    chunkBytes: z.int().positive().default(16_384),
    intervalMs: z.int().nonnegative().default(0),
  }),
  /** A list that never ends. */
  z.strictObject({ ...shared, kind: z.literal('endless') }),
])
export type Fault = z.infer<typeof Fault>

/** A fault as a test writes it: defaults left out. */
export type FaultInput = z.input<typeof Fault>
