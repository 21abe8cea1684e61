import { z } from 'zod'

const text = z.string()

/** The result of a sync for one endpoint, in `GET /pbs/sync/…` and in the `end` frame. */
export const SyncItem = z.object({
  endpoint_id: z.int(),
  name: text,
  resource: text,
  fetched: z.int(),
  /** proxbox-api and the gateway write nothing themselves: always 0. */
  written: z.int(),
  errors: z.array(text),
  netbox_branch_schema_id: text.nullish().transform((id) => id ?? null),
})
export type SyncItem = z.output<typeof SyncItem>

/** The answer of `GET /pbs/sync/…`: counts only. */
export const Summaries = z.object({ items: z.array(SyncItem), raw: z.unknown().optional() })
export type Summaries = z.output<typeof Summaries>

/** One endpoint of `GET /pbs/status`; disabled ones are left out. */
export const StatusItem = z.object({
  endpoint_id: z.int(),
  name: text,
  host: text,
  port: z.int(),
  reachable: z.boolean(),
  /** `<ErrorType>: <text>`, null when it answered. */
  reason: text.nullable(),
  version: text.nullable(),
})
export type StatusItem = z.output<typeof StatusItem>

/** The answer of `GET /pbs/status`. */
export const StatusList = z.object({ items: z.array(StatusItem) })
export type StatusList = z.output<typeof StatusList>
