import type { ModelName, RowCounts } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Origin } from '../change-log/append-changes.ts'
import type { Tables } from '../database/tables.ts'
import {
  columnNames,
  comparedColumns,
  factColumns,
  keyColumns,
  ownObservations,
  sameKey,
  tables,
} from '../tables/columns.ts'
import { nextVersion } from '../tables/row-version.ts'
import { insertRows, type NewRows, unlessTaken } from '../writes/insert-rows.ts'
import { updateRows } from '../writes/update-rows.ts'
import { rowsAsTheyWere } from './land-rows.ts'
import type { Window } from './windows.ts'

/** Whether the compared columns of two rows differ; a model may have none. */
function differ(model: ModelName, a: string, b: string): RawBuilder<unknown> {
  const columns = comparedColumns(model)
  return columns.length === 0
    ? sql`false`
    : sql`(${columnNames(columns, a)}) is distinct from (${columnNames(columns, b)})`
}

/** The last of each key that a window creates. A key staged twice counts once. */
const stagedCreates = (model: ModelName, window: Window): RawBuilder<unknown> => {
  const key = keyColumns(model)
  return sql`
    select distinct on (${columnNames(key, 'w')}) w.* from ${sql.table(`staged_${tables[model]}`)} w
    where ${window.rows} and w.op = 'create' order by ${columnNames(key, 'w')}, w.seq desc`
}

/** The columns that a creation fills, first readings included where the row holds them itself. */
const createdColumns = (model: ModelName) => [
  ...keyColumns(model),
  ...comparedColumns(model),
  ...ownObservations(model),
]

/**
 * The id of a new row: the one it was staged with, in a branch, else the next. The sequence is
 * looked up once a statement.
 */
const idOf = (model: ModelName, alias: string): RawBuilder<unknown> =>
  sql`coalesce(${sql.ref(`${alias}.id`)}, nextval((select pg_get_serial_sequence(${tables[model]}, 'id')::regclass)))`

/** The rows that a sync makes of staged creations, which `from` has under an alias. */
const listedRows = (model: ModelName, alias: string, from: RawBuilder<unknown>): NewRows => ({
  model,
  from,
  id: idOf(model, alias),
  values: [
    ...createdColumns(model).map(({ name }) => ({ name, value: sql.ref(`${alias}.${name}`) })),
    { name: 'presence', value: sql`'listed'` },
  ],
})

/**
 * Creates the staged rows of a window without looking for existing rows first, which would take a
 * third longer. If a user has created the same key since, that row takes the source's facts and is
 * listed from now on.
 */
export async function landCreates(
  db: Kysely<Tables>,
  model: ModelName,
  window: Window,
  origin: Origin,
): Promise<Pick<RowCounts, 'created' | 'updated'>> {
  const all = sql`from ${sql.table(`staged_${tables[model]}`)} w where ${window.rows} and w.op = 'create'`
  // It stops also when a key is staged twice.
  const made = await unlessTaken(db, () => insertRows(db, listedRows(model, 'w', all), 'stop'))
  if (made !== null) return { created: made, updated: 0 }
  const each = sql`from (${stagedCreates(model, window)}) s`
  const created = await insertRows(db, listedRows(model, 's', each), 'leave out')
  return { created, updated: await adopt(db, model, window, origin) }
}

/**
 * Gives the facts of a window's creations to rows that are there already, and lists them; those
 * just created are so. Returns how many.
 */
const adopt = (db: Kysely<Tables>, model: ModelName, window: Window, origin: Origin): Promise<number> =>
  updateRows(db, {
    model,
    changes: sql`
      select m.id, ${columnNames(factColumns(model), 's')} from (${stagedCreates(model, window)}) s
      join ${sql.table(tables[model])} m on ${sameKey(model, 'm', 's')} and (m.presence <> 'listed' or ${differ(model, 'm', 's')})`,
    columns: comparedColumns(model),
    touches: () => sql`true`,
    value: ({ name }) => sql.ref(`r.${name}`),
    more: [
      { name: 'presence', value: sql`'listed'` },
      { name: 'missing_since', value: sql`null` },
      {
        name: 'last_updated',
        value: sql`case when ${differ(model, 'm', 'r')} then ${nextVersion(sql`m.last_updated`)} else m.last_updated end`,
      },
    ],
    before: rowsAsTheyWere(model),
    where: sameKey(model, 'm', 'r'),
    origin,
  })
