import {
  type Actor,
  type FieldValue,
  type FieldValues,
  keyText,
  type ModelName,
  naturalKey,
  registryVersion,
  sameValue,
  touchRow,
} from '@netbox-pbs/core'
import {
  type BranchNotOpen,
  type BranchOfRun,
  type EditValues,
  type ExpectedVersions,
  KeyTaken,
  type StoreFailed,
  type VersionChanged,
  type WritableModel,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import { branchTable, mergedColumns } from '../../branches/branch-columns.ts'
import { raiseRevision } from '../../branches/branch-record.ts'
import type { Database } from '../../database/database.ts'
import { jsonb } from '../../database/json.ts'
import type { Tables } from '../../database/tables.ts'
import { givenColumns } from '../../edits/editable-columns.ts'
import { listColumn, listFrom } from '../../lists/list-columns.ts'
import { observedColumns, tables } from '../../tables/columns.ts'
import { nextVersion, versionChanged } from '../../tables/row-version.ts'
import { type GroupKey, groupKeyOf } from '../../writes/touch-groups.ts'
import { lockObject, type ObjectRequest } from './locked-object.ts'
import { recountOverlayGroups } from './recount-groups.ts'
import type { SeenObject } from './seen-object.ts'
import { takenKeys } from './taken-keys.ts'

/** The named columns of a row, and the versions of which it must have one. */
interface Update {
  readonly model: WritableModel
  readonly id: number
  readonly values: EditValues
  readonly actor: Actor
  readonly versions?: ExpectedVersions
}

/** Changes the named columns of a row in a branch. False: the branch shows no such row. */
export const updateEntry = Effect.fn('BranchWrites.update')(function* (
  database: Database['Type'],
  branch: number,
  { model, id, values, actor, versions }: Update,
): Effect.fn.Return<boolean, StoreFailed | KeyTaken | BranchNotOpen | BranchOfRun | VersionChanged> {
  const target = { branch, model, id }
  return yield* database.transaction(`changing a ${model} in a branch`, async (trx) => {
    const destination = ({ server_id, ...texts }: GroupKey) => groupKeyOf({ server: server_id, ...texts, ...values })
    const locked = await lockObject(trx, target, { destination })
    if (locked instanceof Error) return locked
    if (locked === null) return false
    const { object, groups } = locked
    const changed = versionChanged(object.version, versions)
    if (changed !== null) return changed
    const given = await storedValues(trx, model, values)
    const key = { ...object.row, ...given }
    if (!sameKey(model, key, object.row)) {
      const taken = await takenKeys(trx, { branch, model }, [{ ord: 0, id, key }])
      if (taken.size > 0) return new KeyTaken({ model, index: 0 })
    }
    const made = object.entry?.op === 'create'
    const moved = await (made
      ? changeCreation(trx, target, object, given, values)
      : changeEntry(trx, target, object, given))
    if (!moved) return true
    await recountOverlayGroups(trx, branch, groups)
    await raiseRevision(trx, branch, actor)
    return true
  })
})

/** The given columns with their values as a row will have them, so that equal ones are seen to be so. */
async function storedValues(db: Kysely<Tables>, model: WritableModel, values: EditValues): Promise<FieldValues> {
  const given = givenColumns(mergedColumns(model), values)
  if (given.length === 0) return {}
  const row = Object.fromEntries(given.map(({ field }) => [field, values[field]]))
  const types = sql.join(given.map(({ field, type }) => sql`${sql.id(field)} ${sql.raw(type)}`))
  const { rows } = await sql<Record<string, FieldValue>>`
    select r.* from jsonb_to_record(${jsonb(row)}) as r (${types})`.execute(db)
  return rows[0] ?? {}
}

/**
 * Updates a row that the branch itself created; its initial observations and last-seen time are the
 * user's too.
 */
async function changeCreation(
  db: Kysely<Tables>,
  { branch, model, id }: ObjectRequest,
  { row, version }: SeenObject,
  given: FieldValues,
  values: EditValues,
): Promise<boolean> {
  const readings = givenColumns(observedColumns(model), values).map(
    ({ field }) => [field, values[field] ?? null] as const,
  )
  const seen = model !== 'server' && Object.hasOwn(values, 'last_seen_at')
  const changed = Object.entries(given).some(([field, value]) => !sameValue(row[field] ?? null, value))
  if (!changed && readings.length === 0 && !seen) return false
  await sql`
    update ${branchTable(model)} e set ${assignments(model, { ...row, ...given })},
      observation = e.observation || ${jsonb(Object.fromEntries(readings))},
      last_seen_own = ${seen ? sql`${values['last_seen_at'] ?? null}::timestamptz` : sql`e.last_seen_own`}, last_updated = ${after(version)}
    where e.branch_id = ${branch}::bigint and e.id = ${id}::bigint`.execute(db)
  return true
}

/**
 * Updates a row that main has, or has lost since the branch touched it. An entry that touches
 * nothing is removed.
 */
async function changeEntry(
  db: Kysely<Tables>,
  { branch, model, id }: ObjectRequest,
  { main, entry, version }: SeenObject,
  values: FieldValues,
): Promise<boolean> {
  const { touched, base, row } = touchRow({ model, main, entry, values })
  if (
    entry !== null &&
    sameValue(entry.touched, touched) &&
    sameValue(entry.base, base) &&
    sameRow(touched, entry.row, row)
  )
    return false
  if (entry === null && touched.length === 0) return false
  if (touched.length === 0) {
    await sql`delete from ${branchTable(model)} where branch_id = ${branch}::bigint and id = ${id}::bigint`.execute(db)
    return true
  }
  const columns = mergedColumns(model)
  const moves = main !== null && !sameKey(model, main, row)
  const names = sql.join(columns.map(({ name }) => sql.id(name)))
  const excluded = columns.map(({ name }) => sql`${sql.id(name)} = ${sql.ref(`excluded.${name}`)}`)
  await sql`
    insert into ${branchTable(model)} as e (branch_id, id, op, touched, base, ${names}, presence, last_seen_own, registry_version, last_updated)
    select ${branch}::bigint, ${id}::bigint, 'update', ${touched}::text[], ${jsonb(base)}, ${valuesOf(model, row)},
      ${moves ? sql`'manual'` : sql`coalesce(m.presence, 'manual')`}, ${moves ? lastSeen(model, id) : sql`m.last_seen_own`}, ${registryVersion}::bigint, ${after(version)}
    from (select ${id}::bigint as id) x left join ${sql.table(tables[model])} m on m.id = x.id
    on conflict (branch_id, id) do update set touched = excluded.touched, base = excluded.base, ${sql.join(excluded)},
      presence = excluded.presence, last_seen_own = excluded.last_seen_own, registry_version = excluded.registry_version, last_updated = excluded.last_updated`.execute(
    db,
  )
  return true
}

const after = (version: string) => nextVersion(sql`${version}::timestamptz`)

const sameRow = (touched: ReadonlyArray<string>, a: FieldValues, b: FieldValues): boolean =>
  touched.every((field) => sameValue(a[field] ?? null, b[field] ?? null))

/** When a row of main was last seen, as lists show it: what it keeps when it gets another key. */
function lastSeen(model: ModelName, id: number) {
  const column = listColumn(model, 'last_seen_at')
  if (column === undefined || model === 'server') return sql`null::timestamptz`
  return sql`(select ${column.value} ${listFrom(model, [column])} where t.id = ${id}::bigint)`
}

const parameter = (type: string, value: FieldValue) =>
  type === 'jsonb' ? jsonb(value) : sql`${value}::${sql.raw(type)}`

const valuesOf = (model: ModelName, row: FieldValues) =>
  sql.join(mergedColumns(model).map(({ field, type }) => parameter(type, row[field] ?? null)))

const assignments = (model: ModelName, row: FieldValues) =>
  sql.join(
    mergedColumns(model).map(({ field, name, type }) => sql`${sql.id(name)} = ${parameter(type, row[field] ?? null)}`),
  )

const sameKey = (model: ModelName, one: FieldValues, other: FieldValues): boolean =>
  keyText(naturalKey(model, one)) === keyText(naturalKey(model, other))
