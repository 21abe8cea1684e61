import { type BranchChange, branchedModels, type FieldValue, type FieldValues, type ModelName } from '@netbox-pbs/core'
import type { BranchChangeFilter, Page } from '@netbox-pbs/core/ports'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { branchTable, entryTitle, mergedColumns } from './branch-columns.ts'
import { entryCondition } from './branch-filter.ts'

interface PageOfChanges {
  readonly id: number
  readonly limit: number
  readonly offset: number
}

/** What a branch changes, model by model and by id. */
export async function listChanges(
  db: Kysely<Tables>,
  { id, filter = {}, limit, offset }: PageOfChanges & { readonly filter?: BranchChangeFilter },
): Promise<Page<BranchChange>> {
  const rows: Array<BranchChange> = []
  let before = 0
  for (const model of branchedModels) {
    const condition = entryCondition(model, filter)
    if (condition === null) continue
    const which = sql`e.branch_id = ${id}::bigint and ${condition}`
    const count = await countOf(db, model, which)
    const from = Math.max(0, offset - before)
    const remaining = limit - rows.length
    if (remaining > 0 && from < count)
      rows.push(...(await pageOf(db, model, which, { limit: remaining, offset: from })))
    before += count
  }
  return { count: before, rows }
}

async function countOf(db: Kysely<Tables>, model: ModelName, which: RawBuilder<unknown>): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from ${branchTable(model)} e where ${which}`.execute(db)
  return rows[0]?.count ?? 0
}

interface ChangeRecord {
  readonly id: number
  readonly op: BranchChange['action']
  readonly touched: ReadonlyArray<string>
  readonly base: FieldValues
  readonly title: string
  readonly [field: string]: unknown
}

async function pageOf(
  db: Kysely<Tables>,
  model: ModelName,
  which: RawBuilder<unknown>,
  { limit, offset }: Pick<PageOfChanges, 'limit' | 'offset'>,
): Promise<ReadonlyArray<BranchChange>> {
  const fields = mergedColumns(model).map(({ field, name }) => sql`${sql.ref(`e.${name}`)} as ${sql.id(`e_${field}`)}`)
  const { rows } = await sql<ChangeRecord>`
    select e.id, e.op, e.touched, e.base, ${entryTitle(model)} as title, ${sql.join(fields)} from ${branchTable(model)} e
    where ${which} order by e.id limit ${limit} offset ${offset}`.execute(db)
  return rows.map((row) => changeOf(model, row))
}

function changeOf(model: ModelName, { id, op, touched, base, title, ...row }: ChangeRecord): BranchChange {
  const names = op === 'update' ? touched : mergedColumns(model).map(({ field }) => field)
  const values = Object.fromEntries(names.map((name) => [name, (row[`e_${name}`] ?? null) as FieldValue]))
  const about = { model, objectId: id, title, action: op }
  if (op === 'create') return { ...about, before: null, after: values }
  return op === 'delete' ? { ...about, before: values, after: null } : { ...about, before: base, after: values }
}
