import { type ModelName, registry } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { type Column, factColumns, fieldOf, keyColumns, operatorColumns, tables } from '../tables/columns.ts'

/** A field as the change log names it. */
export interface LoggedField {
  readonly name: string
  /** The fields of main that it is made of. */
  readonly of: ReadonlyArray<string>
  /** Its value in the row of an alias, of a type that JSON has: a moment is text. */
  readonly value: (alias: string) => RawBuilder<unknown>
}

const inner = (model: ModelName, name: string): boolean => fieldOf(model, name)?.internal === true

/**
 * What the log says of a whole row: its facts under the names that REST serves them by (a snapshot's
 * two lists of files are one there), and what people own.
 */
export const loggedFields = (model: ModelName): ReadonlyArray<LoggedField> => [
  ...loggedFacts(model),
  ...operatorColumns(model).map(asLogged),
  ...['tags', 'custom_fields'].map((name) => ({
    name,
    of: [name],
    value: (alias: string) => sql.ref(`${alias}.${name}`),
  })),
]

function loggedFacts(model: ModelName): ReadonlyArray<LoggedField> {
  const facts = factColumns(model)
  const files = facts.map(({ field }) => field).filter((name) => inner(model, name))
  const shown = facts.filter(({ field }) => !inner(model, field)).map(asLogged)
  if (files.length === 0) return shown
  const all = (alias: string) =>
    sql.join(
      files.map((name) => sql.ref(`${alias}.${name}`)),
      sql` || `,
    )
  return [...shown, { name: 'files', of: files, value: all }]
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
export const rowServer = (model: ModelName, alias: string): RawBuilder<unknown> =>
  sql.ref(model === 'server' ? `${alias}.id` : `${alias}.server_id`)

/** How many rows of each model lie below the server of an alias and go with it. */
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
