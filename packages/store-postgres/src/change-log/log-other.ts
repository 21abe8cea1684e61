import { randomUUID } from 'node:crypto'
import {
  type Author,
  bySystem,
  type ChangeAction,
  type LoggedModel,
  type LoggedValues,
  type ModelName,
} from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { originOf } from './append-changes.ts'

/** A change of an object that is not an inventory row. It never has a secret. */
export interface OtherChange {
  readonly action: ChangeAction
  readonly model: Exclude<LoggedModel, ModelName>
  readonly id: number
  readonly title: string
  readonly before: LoggedValues | null
  readonly after: LoggedValues | null
  /** Omitted: the system did it on its own, for example at the first start. */
  readonly by?: Author | undefined
  /** The branch on which it is a decision. */
  readonly branchId?: number
  readonly serverId?: number | undefined
}

/** The user and request behind a change; without a user, the system in a request of its own. */
export const authorOf = (by: Author | undefined): Author => by ?? { user: bySystem, requestId: randomUUID() }

/** Appends an entry of the change log, in the transaction that makes the change. */
export async function logOther(
  db: Kysely<Tables>,
  { action, model, id, title, before, after, by, branchId, serverId }: OtherChange,
): Promise<void> {
  const message = by !== undefined && 'message' in by ? (by.message ?? '') : ''
  const origin = { ...authorOf(by), ...(branchId === undefined ? {} : { branchId }) }
  await sql`
    insert into changes (message, action, model, object_id, title, server_id, before, after, branch_id, run_id, request_id, user_name)
    select ${message}, ${action}, ${model}, ${id}::bigint, ${title}, ${serverId ?? null}::bigint, ${before === null ? null : jsonb(before)},
      ${after === null ? null : jsonb(after)}, ${originOf(origin)}`.execute(db)
}

/** The members in which two objects differ, before and after; null: there are none. */
export function differing(
  before: LoggedValues,
  after: LoggedValues,
): { readonly before: LoggedValues; readonly after: LoggedValues } | null {
  const names = Object.keys(after).filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
  if (names.length === 0) return null
  const of = (values: LoggedValues) => Object.fromEntries(names.map((name) => [name, values[name] ?? null]))
  return { before: of(before), after: of(after) }
}
