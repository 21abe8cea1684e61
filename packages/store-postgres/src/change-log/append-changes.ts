import { type Author, type ChangeAction, type LoggedModel, type ModelName, registry } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { type Column, factColumns, fieldOf, keyColumns, operatorColumns, tables } from '../tables/columns.ts'

/**
 * The author of a change: a run or a user. `branchId`: the change lands with the merge of that
 * branch, or is a decision on it.
 */
export type Origin = Author & { readonly branchId?: number }

/** `branch_id, run_id, request_id, user_name` of an origin; a run's user started the run. */
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

/** The columns that `appendChanges` reads of a created row, under the alias it was written by. */
export const created = (model: ModelName, alias: string): RawBuilder<unknown> =>
  sql`${identity(model, alias)}, null::jsonb as before, ${wholeRow(model, alias)} as after, null::jsonb as counts`

/** The log's record of a deleted row: its values, its `created`, and whether a source listed it. */
export const deletedRow = (model: ModelName, alias: string): RawBuilder<unknown> =>
  sql`(${wholeRow(model, alias)} || jsonb_build_object('created', ${timestamp(sql.ref(`${alias}.created`))}, 'presence', ${sql.ref(`${alias}.presence`)}))`

/** Id, server and title of a row. */
export const identity = (model: ModelName, alias: string): RawBuilder<unknown> =>
  sql`${sql.ref(`${alias}.id`)} as id, ${rowServer(model, alias)} as server_id, ${rowTitle(model, alias)} as title`

/**
 * The touched fields of a row that differ, as two columns `before` and `after` with the members of
 * a JSON object in text, which `membersOf` reads; null when none differs. Only the columns of
 * `fields` are compared; text takes a fifth of the time of an aggregate per row.
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

/** The JSON object that `changedMembers` wrote in a column. */
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

/** A field as the change log names it. */
interface LoggedField {
  readonly name: string
  /** The fields of main that it is made of. */
  readonly of: ReadonlyArray<string>
  /** Its value in the row of an alias, of a type that JSON has: a moment is text. */
  readonly value: (alias: string) => RawBuilder<unknown>
}

const inner = (model: ModelName, name: string): boolean => fieldOf(model, name)?.internal === true

/**
 * The fields that the log has of a whole row: its facts under their REST names (a snapshot's two
 * lists of files are one there), and the operator's fields.
 */
const loggedFields = (model: ModelName): ReadonlyArray<LoggedField> => [
  ...loggedFacts(model),
  ...operatorColumns(model).map(asLogged),
  ...['tags', 'custom_fields'].map((name) => ({
    name,
    of: [name],
    value: (alias: string) => sql.ref(`${alias}.${name}`),
  })),
]

/** The names of the fields that the log has of a whole row. */
export const loggedNames = (model: ModelName): ReadonlyArray<string> => loggedFields(model).map(({ name }) => name)

function loggedFacts(model: ModelName): ReadonlyArray<LoggedField> {
  const facts = factColumns(model)
  const files = facts.map(({ field }) => field).filter((name) => inner(model, name))
  const logged = facts.filter(({ field }) => !inner(model, field)).map(asLogged)
  if (files.length === 0) return logged
  const all = (alias: string) =>
    sql.join(
      files.map((name) => sql.ref(`${alias}.${name}`)),
      sql` || `,
    )
  return [...logged, { name: 'files', of: files, value: all }]
}

/** All that the log says of the row of an alias, as one JSON object. */
export const wholeRow = (model: ModelName, alias: string): RawBuilder<unknown> =>
  sql`jsonb_build_object(${sql.join(loggedFields(model).flatMap(({ name, value }) => [sql.lit(name), value(alias)]))})`

/**
 * The natural key of the row of an alias in words, which begin with its server's name:
 * `pbs-a/tank/vm/100/2026-05-01T02:00:00Z`.
 */
export function rowTitle(
  model: ModelName,
  alias: string,
  serverName: (id: RawBuilder<unknown>) => RawBuilder<unknown> = nameOfServer,
): RawBuilder<unknown> {
  const parts = keyColumns(model).map((column) => {
    if (column.type === 'bigint') return serverName(sql.ref(`${alias}.${column.name}`))
    if (column.type === 'timestamptz') return timestamp(sql.ref(`${alias}.${column.name}`))
    // The root namespace has no name.
    return sql`nullif(${sql.ref(`${alias}.${column.name}`)}, '')`
  })
  return sql`concat_ws('/', ${sql.join(parts)})`
}

const nameOfServer = (id: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`(select v.name from servers v where v.id = ${id})`

/** The server of the row of an alias; its own id for a server. */
const rowServer = (model: ModelName, alias: string): RawBuilder<unknown> =>
  sql.ref(model === 'server' ? `${alias}.id` : `${alias}.server_id`)

/** The number of rows of each model below the server of an alias, which are deleted with it. */
export function childRows(alias: string): RawBuilder<unknown> {
  const counts = Object.values(registry)
    .filter(({ name }) => name !== 'server')
    .flatMap(({ name }) => [
      sql.lit(name),
      sql`(select count(*) from ${sql.table(tables[name])} b where b.server_id = ${sql.ref(`${alias}.id`)})`,
    ])
  return sql`jsonb_build_object(${sql.join(counts)})`
}

function asLogged(column: Column): LoggedField {
  return { name: column.field, of: [column.field], value: (alias) => plainValue(column, alias) }
}

/** A column's value in the row of an alias, of a type that JSON has: a moment is text. */
export function plainValue({ name, type }: Column, alias: string): RawBuilder<unknown> {
  const value = sql.ref(`${alias}.${name}`)
  return type === 'timestamptz' ? timestamp(value) : value
}

/** A moment as RFC 3339 text, microseconds only when they are not zero. */
export const timestamp = (value: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`to_char(${value} at time zone 'UTC', case when ${value} = date_trunc('second', ${value}) then 'YYYY-MM-DD"T"HH24:MI:SS"Z"' else 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"' end)`
