import { type Actor, type FieldValues, type ModelName, registryVersion } from '@netbox-pbs/core'
import {
  type BranchNotOpen,
  type BranchOfRun,
  type EditValues,
  KeyTaken,
  type StoreFailed,
  type WritableModel,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import { branchTable } from '../../branches/branch-columns.ts'
import { recountOverlayGroups } from '../../branches/branch-groups.ts'
import { raiseRevision } from '../../branches/branch-record.ts'
import { messagesOf } from '../../change-log/log-messages.ts'
import { givesCustomValues } from '../../custom-values/unique-values.ts'
import type { Database } from '../../database/database.ts'
import { jsonb } from '../../database/statement-values.ts'
import type { Tables } from '../../database/tables.ts'
import { newRow, writtenColumns } from '../../edits/editable-columns.ts'
import { lockPlaces } from '../../scopes/scope-locks.ts'
import { observedColumns, tables } from '../../tables/columns.ts'
import { groupKeyOf, placesOfGroups } from '../../writes/recount.ts'
import { keepMessages } from './keep-messages.ts'
import { lockForWriting } from './lock-objects.ts'
import { takenKeys } from './taken-keys.ts'
import { takenBranchValue } from './taken-values.ts'

/**
 * Creates rows in a branch, all or none, and gives each its id. An error names the first row whose
 * key is taken in the branch or by an earlier row of the request.
 */
export const createEntries = Effect.fn('BranchWrites.create')(function* (
  database: Database['Type'],
  branch: number,
  {
    model,
    rows,
    messages = [],
    actor,
  }: {
    readonly model: WritableModel
    readonly rows: ReadonlyArray<EditValues>
    readonly messages?: ReadonlyArray<string>
    readonly actor: Actor
  },
): Effect.fn.Return<ReadonlyArray<number>, StoreFailed | KeyTaken | BranchNotOpen | BranchOfRun> {
  const groups = model === 'snapshot' ? rows.map(groupKeyOf) : []
  return yield* database.transaction(`creating ${model}s in a branch`, async (trx) => {
    await lockPlaces(placesOfGroups(groups)).execute(trx)
    const closed = await lockForWriting(trx, branch)
    if (closed !== null) return closed
    if (rows.length === 0) return []
    const newKeys = rows.map((values, ord) => ({ ord, id: null, key: keyOf(model, values) }))
    const taken = await takenKeys(trx, { branch, model }, newKeys)
    if (taken.size > 0) return new KeyTaken({ model, index: Math.min(...taken) })
    const ids = await insertEntries(trx, { branch, model }, rows)
    const value = rows.some(givesCustomValues) ? await takenBranchValue(trx, { branch, model }, ids) : null
    if (value !== null) return new KeyTaken({ model, index: ids.indexOf(value.id), customField: value.field })
    const named = ids.map((id, place) => ({ id, message: messages[place] }))
    await keepMessages(trx, { branch, model }, messagesOf(named, actor))
    await recountOverlayGroups(trx, branch, groups)
    await raiseRevision(trx, branch, actor)
    return ids
  })
})

/** The key columns that a new row will have, defaults included. */
function keyOf(model: WritableModel, values: EditValues): FieldValues {
  const row = newRow(model, values, 0)
  // Its columns have the values of the request, or defaults of the registry.
  return Object.fromEntries(writtenColumns(model).map(({ field, name }) => [field, row[name] as FieldValues[string]]))
}

async function insertEntries(
  db: Kysely<Tables>,
  { branch, model }: { readonly branch: number; readonly model: WritableModel },
  values: ReadonlyArray<EditValues>,
): Promise<ReadonlyArray<number>> {
  const columns = writtenColumns(model)
  const rows = values.map((row, ord) => ({
    ...newRow(model, row, ord),
    observation: observationsOf(model, newRow(model, row, ord)),
  }))
  const names = sql.join(columns.map(({ name }) => sql.id(name)))
  const types = sql.join(columns.map(({ name, type }) => sql`${sql.id(name)} ${sql.raw(type)}`))
  const { rows: inserted } = await sql<{ id: number }>`
    with given as materialized (
      select nextval(pg_get_serial_sequence(${tables[model]}, 'id')) as id, r.*
      from jsonb_to_recordset(${jsonb(rows)}) as r (ord bigint, observation jsonb, ${types}) order by r.ord
    ), inserted as (
      insert into ${branchTable(model)} (branch_id, id, op, ${names}, presence, observation, registry_version)
      select ${branch}::bigint, id, 'create', ${names}, 'manual', observation, ${registryVersion}::bigint from given
    )
    select id from given order by ord`.execute(db)
  return inserted.map(({ id }) => id)
}

/** The initial observations of a new row, by field; null: its model has none of its own. */
function observationsOf(
  model: ModelName,
  row: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> | null {
  const observed = observedColumns(model)
  return observed.length === 0 ? null : Object.fromEntries(observed.map(({ field, name }) => [field, row[`o_${name}`]]))
}
