import type { Actor, ChangeAction, ModelName } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { tables } from '../inventory/columns.ts'
import { loggedFacts, rowServer, rowsBelow, rowTitle, wholeRow } from './logged-fields.ts'

/** Whose doing a change is: a run's, or a person's in a request. */
export type Origin = { readonly runId: number } | Actor

/** `run_id, request_id, user_name` of an origin. A run's person is who started it. */
const originOf = (origin: Origin): RawBuilder<unknown> =>
  'runId' in origin
    ? sql`${origin.runId}::bigint, null::uuid, coalesce((select started_by from runs where id = ${origin.runId}::bigint), '')`
    : sql`null::bigint, ${origin.requestId}::uuid, ${origin.user}::text`

/**
 * A statement that appends an entry for each row of `from`, the name of a step of the same statement that has `id`, `server_id`, `title`, `before`, `after` and
 * `counts`. Being of the statement that writes the rows, it costs no round trip and cannot miss one.
 */
export const appendChanges = (
  from: string,
  action: ChangeAction,
  model: ModelName,
  { origin, where = sql`true` }: { readonly origin: Origin; readonly where?: RawBuilder<unknown> },
): RawBuilder<unknown> => sql`
  insert into changes (action, model, object_id, title, server_id, before, after, counts, run_id, request_id, user_name)
  select ${action}, ${model}, c.id, c.title, c.server_id, c.before, c.after, c.counts, ${originOf(origin)}
  from ${sql.table(from)} c where ${where}`

/** What `appendChanges` reads of a row that was created, under the alias it was written by. */
export const created = (model: ModelName, alias: string): RawBuilder<unknown> =>
  sql`${identity(model, alias)}, null::jsonb as before, ${wholeRow(model, alias)} as after, null::jsonb as counts`

/** What `appendChanges` reads of a row that was deleted. */
const deleted = (model: ModelName, alias: string): RawBuilder<unknown> =>
  sql`${identity(model, alias)}, ${wholeRow(model, alias)} as before, null::jsonb as after, ${rowsBelow(model, alias)} as counts`

/** Id, server and title of a row. */
export const identity = (model: ModelName, alias: string): RawBuilder<unknown> =>
  sql`${sql.ref(`${alias}.id`)} as id, ${rowServer(model, alias)} as server_id, ${rowTitle(model, alias)} as title`

/** Deletes the rows `m` that the condition finds, with an entry for each, and returns how many. */
export async function deleteLogged(
  db: Kysely<Tables>,
  model: ModelName,
  { where, origin }: { readonly where: RawBuilder<unknown>; readonly origin: Origin },
): Promise<number> {
  const { rows } = await sql<{ deleted: number }>`
    with gone as (
      delete from ${sql.table(tables[model])} m where ${where} returning ${deleted(model, 'm')}
    ), logged as (${appendChanges('gone', 'delete', model, { origin })})
    select count(*) as deleted from gone`.execute(db)
  return rows[0]?.deleted ?? 0
}

/**
 * The touched facts of a row before and after as one JSON object `{"before", "after"}`, its members null when nothing differs. `touched` is a list of fields; only the
 * columns of these are looked at.
 */
export function touchedFacts(
  model: ModelName,
  {
    touched,
    before,
    after,
  }: { readonly touched: RawBuilder<unknown>; readonly before: string; readonly after: string },
): RawBuilder<unknown> {
  const facts = loggedFacts(model)
  const pick = (of: (fact: (typeof facts)[number]) => RawBuilder<unknown>) =>
    sql.join(
      facts.map((fact) => sql`when k.field in (${sql.join(fact.of.map((name) => sql.lit(name)))}) then ${of(fact)}`),
      sql` `,
    )
  return sql`(
    select jsonb_build_object('before', jsonb_object_agg(t.name, t.before), 'after', jsonb_object_agg(t.name, t.after))
    from (
      select case ${pick(({ name }) => sql.lit(name))} end as name, case ${pick(({ value }) => value(before))} end as before,
        case ${pick(({ value }) => value(after))} end as after
      from unnest(${touched}) k (field)
    ) t
    where t.before is distinct from t.after
  )`
}

/** Of two whole rows in JSON the members of `wanted` that differ from those of `other`; null: none do. */
export const differingMembers = (wanted: RawBuilder<unknown>, other: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`(select jsonb_object_agg(e.key, e.value) from jsonb_each(${wanted}) e where e.value is distinct from ${other} -> e.key)`

/** Appends the one entry for all rows that a run has created in a scope. */
export async function appendSummary(
  db: Kysely<Tables>,
  summary: {
    readonly model: ModelName
    readonly title: string
    readonly serverId: number | null
    readonly counts: Readonly<Partial<Record<ModelName, number>>>
    readonly origin: Origin
  },
): Promise<void> {
  const { model, title, serverId, counts, origin } = summary
  await sql`
    with c as (
      select null::bigint as id, ${serverId}::bigint as server_id, ${title}::text as title, null::jsonb as before, null::jsonb as after,
        ${JSON.stringify(counts)}::text::jsonb as counts
    ) ${appendChanges('c', 'create', model, { origin })}`.execute(db)
}
