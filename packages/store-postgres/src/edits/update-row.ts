import type { Actor, FieldValue } from '@netbox-pbs/core'
import {
  type EditValues,
  type ExpectedVersions,
  KeyTaken,
  type ServerGone,
  type StoreFailed,
  type VersionChanged,
  type WritableModel,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { jsonb, storable } from '../database/json.ts'
import { isUniqueViolation } from '../database/store-errors.ts'
import type { Tables } from '../database/tables.ts'
import { listColumn, listFrom } from '../lists/list-columns.ts'
import { type Column, observedColumns, tables } from '../tables/columns.ts'
import { nextVersion, versionChanged } from '../tables/row-version.ts'
import { insertObservations } from '../writes/insert-observations.ts'
import { notePending } from '../writes/pending-since.ts'
import { recountTouchedGroups } from '../writes/touch-groups.ts'
import type { Main } from '../writes/writer.ts'
import { givenColumns, namesFact, namesKey, writtenColumns } from './editable-columns.ts'
import { lockPlacesOf, serverGone } from './lock-row.ts'
import { lockLogged, logEdit } from './log-edit.ts'

interface Request {
  readonly model: WritableModel
  readonly id: number
  readonly values: EditValues
  readonly actor: Actor
  readonly versions?: ExpectedVersions
}

/** Changes the named columns of a row. False: there is no such row. */
export const updateRow = Effect.fn('InventoryWrites.update')(function* (
  { database, watch }: Main,
  request: Request,
): Effect.fn.Return<boolean, StoreFailed | KeyTaken | ServerGone | VersionChanged> {
  const { model, id, values, actor, versions } = request
  return yield* database.transaction(`changing a ${model}`, async (trx) => {
    const locked = await lockPlacesOf(trx, request)
    if (locked === null) return false
    const gone = await serverGone(trx, [values])
    if (gone !== null) return gone
    const before = await lockLogged(trx, model, id)
    if (before === null) return false
    const changed = versionChanged(before.version, versions)
    if (changed !== null) return changed
    const outcome = await writeRow(trx, request)
    if (outcome === 'taken') return new KeyTaken({ model, index: 0 })
    if (outcome === 'none') return false
    await writeObservations(trx, model, id, values)
    if (namesFact(model, values)) await recountTouchedGroups(trx, locked.groups, { origin: actor, watch })
    if (model === 'server') await notePending(trx)
    await logEdit(trx, request, before.row)
    return true
  })
})

/**
 * A row that gets another key is one that no source has reported: it is the user's own from then
 * on, and keeps when it was last seen.
 */
async function writeRow(
  db: Kysely<Tables>,
  { model, id, values }: Omit<Request, 'actor'>,
): Promise<'written' | 'none' | 'taken'> {
  const sets = givenColumns(writtenColumns(model), values).map((column) => assignment(column, values))
  if (model !== 'server' && namesKey(model, values) && (await renamesKey(db, { model, id, values }))) {
    sets.push(sql`presence = 'manual'`, sql`missing_since = null`)
    if (!Object.hasOwn(values, 'last_seen_at')) sets.push(sql`last_seen_own = (${lastSeenOf(model, id)})`)
  }
  const update = sql`update ${sql.table(tables[model])} t
    set ${sql.join([...sets, sql`last_updated = ${nextVersion(sql`t.last_updated`)}`])} where t.id = ${id}::bigint`
  try {
    const { numAffectedRows } = await update.execute(db)
    return numAffectedRows === 1n ? 'written' : 'none'
  } catch (cause) {
    if (isUniqueViolation(cause)) return 'taken'
    throw cause
  }
}

function assignment({ field, name, type }: Column, values: EditValues): RawBuilder<unknown> {
  return sql`${sql.id(name)} = ${parameter(type, values[field] ?? null)}`
}

const parameter = (type: string, value: FieldValue): RawBuilder<unknown> =>
  type === 'jsonb' ? jsonb(value) : sql`${storable(value)}::${sql.raw(type)}`

/** Whether the values give the row a key other than the one it has. */
async function renamesKey(db: Kysely<Tables>, { model, id, values }: Omit<Request, 'actor'>): Promise<boolean> {
  const keys = givenColumns(writtenColumns(model), values).filter((column) => namesKey(model, { [column.field]: null }))
  const differs = keys.map(
    ({ field, name, type }) => sql`${sql.id(name)} is distinct from ${parameter(type, values[field] ?? null)}`,
  )
  const { rows } = await sql`
    select from ${sql.table(tables[model])} where id = ${id}::bigint and (${sql.join(differs, sql` or `)})`.execute(db)
  return rows.length > 0
}

/** When a row was last seen, as lists show it. */
function lastSeenOf(model: WritableModel, id: number): RawBuilder<unknown> {
  const column = listColumn(model, 'last_seen_at')
  if (column === undefined) return sql`null`
  return sql`select ${column.value} ${listFrom(model, [column])} where t.id = ${id}::bigint`
}

async function writeObservations(
  db: Kysely<Tables>,
  model: WritableModel,
  id: number,
  values: EditValues,
): Promise<void> {
  await insertObservations(model, {
    from: sql`from ${sql.table(tables[model])} t where t.id = ${id}::bigint`,
    row: 't',
    values: givenColumns(observedColumns(model), values).map(({ field, name, type }) => ({
      name,
      value: parameter(type, values[field] ?? null),
    })),
    existing: 'replace',
  })?.execute(db)
}
