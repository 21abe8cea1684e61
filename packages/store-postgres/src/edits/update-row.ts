import type { Actor } from '@netbox-pbs/core'
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
import { type Kysely, sql } from 'kysely'
import { storable } from '../database/json.ts'
import type { Tables } from '../database/tables.ts'
import { observedColumns, tables } from '../tables/columns.ts'
import { versionChanged } from '../tables/row-version.ts'
import { changeRows } from '../writes/change-rows.ts'
import { insertObservations } from '../writes/insert-observations.ts'
import { notePending } from '../writes/pending-since.ts'
import { recountTouchedGroups } from '../writes/touch-groups.ts'
import type { Main } from '../writes/writer.ts'
import { givenColumns, namesFact } from './editable-columns.ts'
import { foldChanges } from './fold-changes.ts'
import { lockPlacesOf, lockVersion, serverGone } from './lock-row.ts'

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
    const version = await lockVersion(trx, model, id)
    if (version === null) return false
    const changed = versionChanged(version, versions)
    if (changed !== null) return changed
    const updated = await changeRows(trx, model, { rows: [{ id, values }], origin: actor })
    if (typeof updated !== 'number') return new KeyTaken({ model, index: updated.taken })
    await writeObservations(trx, model, id, values)
    if (namesFact(model, values)) await recountTouchedGroups(trx, locked.groups, { origin: actor, watch })
    if (model === 'server') await notePending(trx)
    await foldChanges(trx, { model, ids: [id], actor })
    return true
  })
})

/** Stores the given observations of a row. */
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
      value: sql`${storable(values[field] ?? null)}::${sql.raw(type)}`,
    })),
    existing: 'replace',
  })?.execute(db)
}
