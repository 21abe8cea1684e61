import { type Actor, bySystem, type ChangeAction, type LoggedModel, type LoggedValues } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import { jsonb } from '../database/json.ts'
import type { Tables } from '../database/tables.ts'

/** What was done to an object that is no row of the inventory. Never with a secret. */
export interface OtherChange {
  readonly action: ChangeAction
  readonly model: Exclude<LoggedModel, 'server'>
  readonly id: number
  readonly title: string
  readonly before: LoggedValues | null
  readonly after: LoggedValues | null
  /** Left out: nobody asked for it, as at the first start. */
  readonly actor?: Actor | undefined
}

/** Appends an entry of the change log, in the transaction that makes the change. */
export async function logOther(
  db: Kysely<Tables>,
  { action, model, id, title, before, after, actor }: OtherChange,
): Promise<void> {
  const user = actor?.user ?? bySystem
  await sql`
    insert into changes (action, model, object_id, title, before, after, request_id, user_name)
    values (${action}, ${model}, ${id}::bigint, ${title}, ${before === null ? null : jsonb(before)}, ${after === null ? null : jsonb(after)},
      coalesce(${actor?.requestId ?? null}::uuid, gen_random_uuid()), ${user})`.execute(db)
}

/** Of two objects the members that differ, as they were and as they are; null: none do. */
export function differing(
  before: LoggedValues,
  after: LoggedValues,
): { readonly before: LoggedValues; readonly after: LoggedValues } | null {
  const names = Object.keys(after).filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
  if (names.length === 0) return null
  const of = (values: LoggedValues) => Object.fromEntries(names.map((name) => [name, values[name] ?? null]))
  return { before: of(before), after: of(after) }
}
