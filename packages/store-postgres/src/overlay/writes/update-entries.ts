import {
  type Actor,
  appliedEdits,
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
  KeyTaken,
  type RowNotFound,
  type RowUpdate,
  type StoreFailed,
  type VersionChanged,
  type WritableModel,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import { branchTable, mergedColumns } from '../../branches/branch-columns.ts'
import { recountOverlayGroups } from '../../branches/branch-groups.ts'
import { raiseRevision } from '../../branches/branch-record.ts'
import { messagesOf } from '../../change-log/log-messages.ts'
import { givesCustomValues } from '../../custom-values/unique-values.ts'
import type { Database } from '../../database/database.ts'
import { jsonb } from '../../database/statement-values.ts'
import type { Tables } from '../../database/tables.ts'
import { givenColumns } from '../../edits/editable-columns.ts'
import { lastSeenOf } from '../../lists/list-columns.ts'
import { observedColumns, ofJson, tables } from '../../tables/columns.ts'
import { nextVersion } from '../../tables/row-version.ts'
import { keepMessages } from './keep-messages.ts'
import { type BranchModel, lockObjects } from './lock-objects.ts'
import type { SeenObject } from './seen-objects.ts'
import { takenKeys } from './taken-keys.ts'
import { takenBranchValue } from './taken-values.ts'

/** An object with the columns that it is given, as its row will have them. */
interface Change extends RowUpdate {
  readonly object: SeenObject
  readonly given: FieldValues
}

/** Changes the named columns of rows in a branch, all or none. */
export const updateEntries = Effect.fn('BranchWrites.update')(function* (
  database: Database['Type'],
  branch: number,
  {
    model,
    rows,
    actor,
  }: { readonly model: WritableModel; readonly rows: ReadonlyArray<RowUpdate>; readonly actor: Actor },
): Effect.fn.Return<void, StoreFailed | RowNotFound | KeyTaken | BranchNotOpen | BranchOfRun | VersionChanged> {
  const target = { branch, model }
  const what = rows.length === 1 ? `a ${model}` : `${model}s`
  yield* database.transaction(`changing ${what} in a branch`, async (trx) => {
    const locked = await lockObjects(trx, target, { rows })
    if (locked instanceof Error) return locked
    const whole = locked.objects.map(({ object, ...row }) => ({ ...row, values: appliedEdits(object.row, row.values) }))
    const given = await storedValues(trx, model, whole)
    const changes = locked.objects.map((one, place) => ({ ...one, given: given[place] ?? {} }))
    const newKeys = changes.flatMap(({ id, object, given: values }, ord) => {
      const key = { ...object.row, ...values }
      return sameKey(model, key, object.row) ? [] : [{ ord, id, key }]
    })
    const taken = newKeys.length === 0 ? new Set<number>() : await takenKeys(trx, target, newKeys)
    if (taken.size > 0) return new KeyTaken({ model, index: Math.min(...taken) })
    const isCreation = ({ object }: Change) => object.entry?.op === 'create'
    const created = await changeCreations(trx, target, changes.filter(isCreation))
    const updated = await changeEntries(
      trx,
      target,
      changes.filter((change) => !isCreation(change)),
    )
    if (!created && !updated) return undefined
    const giving = rows.filter(({ values }) => givesCustomValues(values)).map(({ id }) => id)
    const value = await takenBranchValue(trx, target, giving)
    if (value !== null)
      return new KeyTaken({ model, index: rows.findIndex(({ id }) => id === value.id), customField: value.field })
    await recountOverlayGroups(trx, branch, locked.groups)
    await keepMessages(trx, target, messagesOf(rows, actor))
    await raiseRevision(trx, branch, actor)
    return undefined
  })
})

/** The given columns of each row with their values as a row will have them, so that equal ones are seen to be so. */
async function storedValues(
  db: Kysely<Tables>,
  model: WritableModel,
  rows: ReadonlyArray<RowUpdate>,
): Promise<ReadonlyArray<FieldValues>> {
  const columns = mergedColumns(model).filter(({ field }) => rows.some(({ values }) => Object.hasOwn(values, field)))
  if (columns.length === 0) return rows.map(() => ({}))
  const given = rows.map(({ values }, ord) => ({ ord, values }))
  const typed = columns.map((column) => sql`${ofJson(sql`r.values`, column)} as ${sql.id(column.field)}`)
  const { rows: stored } = await sql<FieldValues>`
    select ${sql.join(typed)} from jsonb_to_recordset(${jsonb(given)}) as r (ord bigint, values jsonb) order by r.ord`.execute(
    db,
  )
  return rows.map(({ values }, place) =>
    Object.fromEntries(givenColumns(columns, values).map(({ field }) => [field, stored[place]?.[field] ?? null])),
  )
}

/**
 * Updates rows that the branch itself created; their initial observations and last-seen times are
 * the user's too. Returns whether anything changed.
 */
async function changeCreations(
  db: Kysely<Tables>,
  { branch, model }: BranchModel,
  changes: ReadonlyArray<Change>,
): Promise<boolean> {
  const rows = changes.flatMap(({ id, object: { row, version }, given, values }) => {
    const observed = Object.fromEntries(
      givenColumns(observedColumns(model), values).map(({ field }) => [field, values[field] ?? null]),
    )
    const seen = model !== 'server' && Object.hasOwn(values, 'last_seen_at')
    const changed = Object.entries(given).some(([field, value]) => !sameValue(row[field] ?? null, value))
    if (!changed && Object.keys(observed).length === 0 && !seen) return []
    return [
      { id, version, row: { ...row, ...given }, observed, seen, last_seen_at: seen ? values['last_seen_at'] : null },
    ]
  })
  if (rows.length === 0) return false
  const columns = mergedColumns(model).map((column) => sql`${sql.id(column.name)} = ${ofJson(sql`r.row`, column)}`)
  await sql`
    update ${branchTable(model)} e set ${sql.join(columns)}, observation = e.observation || r.observed,
      last_seen_own = case when r.seen then r.last_seen_at else e.last_seen_own end, last_updated = ${nextVersion(sql`r.version`)}
    from jsonb_to_recordset(${jsonb(rows)}) as r (id bigint, version timestamptz, row jsonb, observed jsonb, seen boolean, last_seen_at timestamptz)
    where e.branch_id = ${branch}::bigint and e.id = r.id`.execute(db)
  return true
}

/**
 * Updates rows that main has, or has lost since the branch touched them, and returns whether
 * anything changed. An entry that touches nothing is removed.
 */
async function changeEntries(
  db: Kysely<Tables>,
  { branch, model }: BranchModel,
  changes: ReadonlyArray<Change>,
): Promise<boolean> {
  const entries = changes.flatMap(({ id, object: { main, entry, version }, given }) => {
    const { touched, base, row } = touchRow({ model, main, entry, values: given })
    const same =
      entry !== null &&
      sameValue(entry.touched, touched) &&
      sameValue(entry.base, base) &&
      sameRow(touched, entry.row, row)
    if (same || (entry === null && touched.length === 0)) return []
    return [{ id, version, touched, base, row, moves: main !== null && !sameKey(model, main, row) }]
  })
  if (entries.length === 0) return false
  const untouched = entries.filter(({ touched }) => touched.length === 0).map(({ id }) => id)
  if (untouched.length > 0) {
    await sql`
      delete from ${branchTable(model)} where branch_id = ${branch}::bigint and id = any(${untouched}::bigint[])`.execute(
      db,
    )
  }
  const touching = entries.filter(({ touched }) => touched.length > 0)
  if (touching.length > 0) await storeEntries(db, { branch, model }, touching)
  return true
}

interface TouchingEntry {
  readonly id: number
  /** The object's version before, RFC 3339. */
  readonly version: string
  readonly touched: ReadonlyArray<string>
  readonly base: FieldValues
  readonly row: FieldValues
  /** Whether the object gets another key than main's. */
  readonly moves: boolean
}

async function storeEntries(
  db: Kysely<Tables>,
  { branch, model }: BranchModel,
  entries: ReadonlyArray<TouchingEntry>,
): Promise<void> {
  const columns = mergedColumns(model)
  const names = sql.join(columns.map(({ name }) => sql.id(name)))
  const values = sql.join(columns.map((column) => ofJson(sql`r.row`, column)))
  const excluded = columns.map(({ name }) => sql`${sql.id(name)} = ${sql.ref(`excluded.${name}`)}`)
  await sql`
    insert into ${branchTable(model)} as e (branch_id, id, op, touched, base, ${names}, presence, last_seen_own, registry_version, last_updated)
    select ${branch}::bigint, r.id, 'update', array(select jsonb_array_elements_text(r.touched)), r.base, ${values},
      case when r.moves then 'manual' else coalesce(m.presence, 'manual') end, case when r.moves then ${lastSeenOf(model, 'm')} else m.last_seen_own end,
      ${registryVersion}::bigint, ${nextVersion(sql`r.version`)}
    from jsonb_to_recordset(${jsonb(entries)}) as r (id bigint, version timestamptz, touched jsonb, base jsonb, row jsonb, moves boolean)
    left join ${sql.table(tables[model])} m on m.id = r.id
    on conflict (branch_id, id) do update set touched = excluded.touched, base = excluded.base, ${sql.join(excluded)},
      presence = excluded.presence, last_seen_own = excluded.last_seen_own, registry_version = excluded.registry_version, last_updated = excluded.last_updated`.execute(
    db,
  )
}

const sameRow = (touched: ReadonlyArray<string>, a: FieldValues, b: FieldValues): boolean =>
  touched.every((field) => sameValue(a[field] ?? null, b[field] ?? null))

const sameKey = (model: ModelName, one: FieldValues, other: FieldValues): boolean =>
  keyText(naturalKey(model, one)) === keyText(naturalKey(model, other))
