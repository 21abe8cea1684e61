import type { Author, ChangeAction, LoggedModel, ModelName } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { jsonb } from '../database/json.ts'
import type { Tables } from '../database/tables.ts'
import { loggedFields, rowServer, rowTitle, timestamp, wholeRow } from './logged-fields.ts'

/**
 * The author of a change: a run or a user. `branchId`: the change lands with the merge of that
 * branch, or is a decision on it.
 */
export type Origin = Author & { readonly branchId?: number }

/**
 * `branch_id, run_id, request_id, user_name` of an origin. A run's user is the one who started it.
 */
export const originOf = (origin: Origin): RawBuilder<unknown> => {
  const branch = sql`${origin.branchId ?? null}::bigint`
  return 'runId' in origin
    ? sql`${branch}, ${origin.runId}::bigint, null::uuid, coalesce((select started_by from runs where id = ${origin.runId}::bigint), '')`
    : sql`${branch}, null::bigint, ${origin.requestId}::uuid, ${origin.user}::text`
}

/**
 * A statement that appends an entry for each row of `from`, the name of a step of the same
 * statement that has `id`, `server_id`, `title`, `before`, `after` and `counts`. Being of the
 * statement that writes the rows, it costs no round trip and cannot miss one.
 */
export const appendChanges = (
  from: string,
  action: ChangeAction,
  model: LoggedModel,
  { origin, where = sql`true` }: { readonly origin: Origin; readonly where?: RawBuilder<unknown> },
): RawBuilder<unknown> => sql`
  insert into changes (action, model, object_id, title, server_id, before, after, counts, branch_id, run_id, request_id, user_name)
  select ${action}, ${model}, c.id, c.title, c.server_id, c.before, c.after, c.counts, ${originOf(origin)}
  from ${sql.table(from)} c where ${where}`

/** What `appendChanges` reads of a row that was created, under the alias it was written by. */
export const created = (model: ModelName, alias: string): RawBuilder<unknown> =>
  sql`${identity(model, alias)}, null::jsonb as before, ${wholeRow(model, alias)} as after, null::jsonb as counts`

/** The log's record of a deleted row: its values, its `created`, and whether a source listed it. */
export const deletedRow = (model: ModelName, alias: string): RawBuilder<unknown> =>
  sql`(${wholeRow(model, alias)} || jsonb_build_object('created', ${timestamp(sql.ref(`${alias}.created`))}, 'presence', ${sql.ref(`${alias}.presence`)}))`

/** Id, server and title of a row. */
export const identity = (model: ModelName, alias: string): RawBuilder<unknown> =>
  sql`${sql.ref(`${alias}.id`)} as id, ${rowServer(model, alias)} as server_id, ${rowTitle(model, alias)} as title`

/**
 * The touched fields of a row that differ, as two columns `before` and `after` with the members of a
 * JSON object in text, which `membersOf` reads; null when nothing differs. `fields`: all that can be
 * touched; only these columns are looked at. Text, because a row costs a fifth of what it takes to
 * gather its members with an aggregate.
 */
export function changedMembers(
  model: ModelName,
  fields: ReadonlySet<string>,
  {
    touches,
    before,
    after,
  }: {
    readonly touches: (field: string) => RawBuilder<unknown>
    readonly before: string
    readonly after: string
  },
): RawBuilder<unknown> {
  const logged = loggedFields(model).filter(({ of }) => of.some((field) => fields.has(field)))
  if (logged.length === 0) return sql`null::text as before, null::text as after`
  const members = (alias: string) => {
    const each = logged.map(({ name, of, value }) => {
      const isTouched = of.filter((field) => fields.has(field)).map(touches)
      return sql`case when (${sql.join(isTouched, sql` or `)}) and ${value(before)} is distinct from ${value(after)}
        then ${sql.lit(`${JSON.stringify(name)}: `)} || coalesce(to_jsonb(${value(alias)})::text, 'null') end`
    })
    return sql`nullif(concat_ws(',', ${sql.join(each)}), '')`
  }
  return sql`${members(before)} as before, ${members(after)} as after`
}

/** The JSON object of what `changedMembers` wrote in a column. */
export const membersOf = (column: string): RawBuilder<unknown> => sql`('{' || ${sql.ref(column)} || '}')::jsonb`

/** Of two whole rows in JSON the members of `wanted` that differ from those of `other`; null: none do. */
export const differingMembers = (values: RawBuilder<unknown>, other: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`(select jsonb_object_agg(e.key, e.value) from jsonb_each(${values}) e where e.value is distinct from ${other} -> e.key)`

/** The rows created in one scope. */
export interface Summary {
  readonly model: ModelName
  /** The scope's title. */
  readonly title: string
  readonly serverId: number | null
  readonly counts: Readonly<Partial<Record<ModelName, number>>>
}

/**
 * Appends the one entry of each scope for all rows that this transaction has created in it; `after`
 * has their `created`, which tells them from all others.
 */
export async function appendSummaries(
  db: Kysely<Tables>,
  summaries: ReadonlyArray<Summary>,
  origin: Origin,
): Promise<void> {
  if (summaries.length === 0) return
  await sql`
    insert into changes (action, model, object_id, title, server_id, before, after, counts, branch_id, run_id, request_id, user_name)
    select 'create', r.model, null, r.title, r."serverId", null, jsonb_build_object('created', ${timestamp(sql`now()`)}), r.counts, ${originOf(origin)}
    from jsonb_to_recordset(${jsonb(summaries)}) as r (model text, title text, "serverId" bigint, counts jsonb)`.execute(
    db,
  )
}
