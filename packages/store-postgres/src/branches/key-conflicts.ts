import { type FieldValue, type FieldValues, keyText, type ModelName, naturalKey, registry } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import { rowTitle } from '../change-log/append-changes.ts'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { keyColumns, sameKey, tables } from '../tables/columns.ts'
import { branchTable } from './branch-columns.ts'
import { ConflictIndex, conflictsOf } from './conflict-rows.ts'
import { ofWhole, type ResolvedEntry, resolveEntryWith } from './judge-entry.ts'

/** The key that an update gives to its row, when it gives it one: a new one, or its own to a row that main has lost. */
function claimedKey(model: ModelName, { entry, resolved }: ResolvedEntry): FieldValues | null {
  const { sides } = entry
  if (entry.op !== 'update' || sides.branch === null || resolved._tag === 'skipped') return null
  if (resolved._tag === 'write' && resolved.write._tag === 'none') return null
  const changes =
    resolved._tag === 'open' || resolved.write._tag !== 'update'
      ? sides.branch
      : Object.fromEntries(resolved.write.fields.map(({ field, value }) => [field, value]))
  const row: FieldValues = { ...sides.main, ...(sides.main === null ? sides.whole : changes) }
  const moves = registry[model].key.some((field) => Object.hasOwn(changes, field))
  if (sides.main !== null && !moves) return null
  return Object.fromEntries(registry[model].key.map((field) => [field, row[field] ?? null]))
}

/** Whether an entry gives its row a key that the row does not have in main. */
export const changesKey = (model: ModelName, decided: ResolvedEntry): boolean => claimedKey(model, decided) !== null

interface KeyConflicts {
  readonly branch: number
  readonly model: ModelName
  readonly decided: ReadonlyArray<ResolvedEntry>
  /** Whether a row of main that the branch deletes leaves its key. */
  readonly vacates: (id: number) => boolean
}

/**
 * Adds a conflict to each entry whose key another row of main has and keeps. Rows that exchange
 * keys do not block each other, but a row that keeps its key may block the next one.
 */
export async function resolveKeyConflicts(
  db: Kysely<Tables>,
  keyConflicts: KeyConflicts,
): Promise<ReadonlyArray<ResolvedEntry>> {
  const { branch, model, decided, vacates } = keyConflicts
  const newKeys = decided.flatMap((one) => {
    const key = claimedKey(model, one)
    return key === null ? [] : [{ id: one.entry.id, key }]
  })
  if (newKeys.length === 0) return decided
  const holders = await holdersOf(db, { branch, model }, newKeys)
  const moving = new Map(newKeys.map(({ id, key }) => [id, keyText(naturalKey(model, key))]))
  const blocked = new Map<number, FieldValue>()
  for (let before = -1; before !== blocked.size; ) {
    before = blocked.size
    const taken = new Set<string>()
    for (const { id, holder, title, deleted } of holders) {
      if (blocked.has(id) || (deleted ? vacates(holder) : moving.has(holder) && !blocked.has(holder))) continue
      blocked.set(id, { id: holder, title })
    }
    for (const [id, key] of moving) {
      if (blocked.has(id)) continue
      if (taken.has(key)) blocked.set(id, { id: null, title: key })
      taken.add(key)
    }
  }
  if (blocked.size === 0) return decided
  const index = new ConflictIndex(await conflictsOf(db, branch, { model, ids: [...blocked.keys()] }))
  return decided.map((one) => {
    const main = blocked.get(one.entry.id)
    return main === undefined ? one : resolveEntryWith(one, ofWhole('unique_collision', main), index)
  })
}

interface Holder {
  /** The entry that claims the key. */
  readonly id: number
  /** The row of main that holds the key. */
  readonly holder: number
  readonly title: string
  readonly deleted: boolean
}

async function holdersOf(
  db: Kysely<Tables>,
  { branch, model }: Pick<KeyConflicts, 'branch' | 'model'>,
  newKeys: ReadonlyArray<{ readonly id: number; readonly key: FieldValues }>,
): Promise<ReadonlyArray<Holder>> {
  const columns = keyColumns(model)
  const rows = newKeys.map(({ id, key }) => ({
    id,
    ...Object.fromEntries(columns.map(({ field, name }) => [name, key[field]])),
  }))
  const types = sql.join(columns.map(({ name, type }) => sql`${sql.id(name)} ${sql.raw(type)}`))
  const { rows: holders } = await sql<Holder>`
    select r.id, m.id as holder, ${rowTitle(model, 'm')} as title,
      exists (select from ${branchTable(model)} d where d.branch_id = ${branch}::bigint and d.id = m.id and d.op = 'delete') as deleted
    from jsonb_to_recordset(${jsonb(rows)}) as r (id bigint, ${types})
    cross join lateral (select m.* from ${sql.table(tables[model])} m where ${sameKey(model, 'm', 'r')} and m.id <> r.id) m
    order by r.id`.execute(db)
  return holders
}
