import {
  type Branch,
  type BranchChange,
  branchChangeFields,
  branchedModels,
  branchFields,
  type FieldValue,
  type FieldValues,
  type ModelName,
} from '@netbox-pbs/core'
import type { BranchChangeFilter, Branches, BranchFilter, ListedPage, Page } from '@netbox-pbs/core/ports'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { rowTitle } from '../change-log/append-changes.ts'
import { namingOf } from '../change-log/definition-names.ts'
import type { Tables } from '../database/tables.ts'
import { recordCondition, recordCount, recordListOf, recordOrder, recordSlice } from '../tables/record-list.ts'
import { branchTable, entryTitle, mergedColumns } from './branch-columns.ts'
import { openConflicts, selectBranch } from './branch-record.ts'

/** The list of branches `b`. */
const branchList = recordListOf(branchFields, {
  columns: {
    id: sql`b.id`,
    schema_id: sql`b.schema_id`,
    name: sql`b.name`,
    description: sql`b.description`,
    status: sql`b.status`,
    kind: sql`b.kind`,
    user: sql`b.user_name`,
    checked: sql`b.checked`,
    created: sql`b.created`,
    last_updated: sql`b.last_updated`,
    merged_time: sql`b.merged`,
    merged_by: sql`b.merged_by`,
    reverts: sql`b.reverts`,
    revision: sql`b.revision`,
    approved_by: sql`b.approved_by`,
    approved_time: sql`b.approved_at`,
    conflict_count: openConflicts,
  },
  order: sql`b.id desc`,
  id: sql`b.id`,
})

/** Branches that a filter finds, the newest first unless asked otherwise. */
export async function listBranches(
  db: Kysely<Tables>,
  request: Parameters<Branches['Type']['list']>[0],
): Promise<ListedPage<Branch>> {
  const which = sql`${branchCondition(request)} and ${await recordCondition(db, branchList, request.where)}`
  const own = { id: branchList.id, order: recordOrder(branchList, request.order), newestFirst: true }
  const { begin, order, limit, ...slice } = recordSlice(request, own)
  const count = await recordCount(db, slice, sql`from branches b where ${which}`)
  const { rows } = await sql`${selectBranch()} where ${which} and ${begin} order by ${order} ${limit}`
    .$castTo<Branch>()
    .execute(db)
  return { count, rows }
}

/** The condition on `branches b` that a filter means. */
function branchCondition({ statuses, names, search, stagedBy }: BranchFilter): RawBuilder<unknown> {
  const run = stagedBy === undefined ? undefined : sql`${stagedBy}::bigint`
  return all([
    ...among('b.status', statuses),
    ...among('b.name', names),
    ...(search === undefined
      ? []
      : [
          sql`(b.name ilike ${containing(search)} or b.description ilike ${containing(search)} or b.user_name ilike ${containing(search)})`,
        ]),
    ...(run === undefined
      ? []
      : [
          sql`(b.run_id = ${run} or exists (select from branch_scopes s where s.branch_id = b.id and s.run_id = ${run}))`,
        ]),
  ])
}

interface PageOfChanges {
  readonly id: number
  readonly limit: number
  readonly offset: number
}

/** The changes of a branch, model by model and by id. */
export async function listChanges(
  db: Kysely<Tables>,
  { id, filter = {}, limit, offset }: PageOfChanges & { readonly filter?: BranchChangeFilter },
): Promise<Page<BranchChange>> {
  const rows: Array<BranchChange> = []
  let before = 0
  for (const model of branchedModels) {
    const condition = entryCondition(model, filter)
    if (condition === null) continue
    const asked = await recordCondition(db, { fields: branchChangeFields, columns: entryColumns(model) }, filter.where)
    const which = sql`e.branch_id = ${id}::bigint and ${condition} and ${asked}`
    const count = await countOf(db, model, which)
    const from = Math.max(0, offset - before)
    const remaining = limit - rows.length
    if (remaining > 0 && from < count)
      rows.push(...(await pageOf(db, model, which, { limit: remaining, offset: from })))
    before += count
  }
  return { count: before, rows }
}

/** The fields of the entries `e` of a model. */
const entryColumns = (model: ModelName) =>
  ({
    object_id: sql`e.id`,
    object_repr: rowTitle(model, 'e'),
    action: sql`e.op`,
  }) satisfies Record<keyof typeof branchChangeFields, RawBuilder<unknown>>

/** The condition on the entries `e` of a model that a filter means; null: it means none of that model. */
function entryCondition(
  model: ModelName,
  { models, actions, objectIds, search }: BranchChangeFilter,
): RawBuilder<unknown> | null {
  if (models !== undefined && !models.includes(model)) return null
  return all([
    ...among('e.op', actions),
    ...(objectIds === undefined ? [] : [sql`e.id = any(${objectIds.filter(Number.isSafeInteger)}::bigint[])`]),
    ...(search === undefined ? [] : [sql`${rowTitle(model, 'e')} ilike ${containing(search)}`]),
  ])
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
  readonly message: string
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
    select e.id, e.op, e.touched, e.base, ${entryTitle(model)} as title, e.message, ${sql.join(fields)} from ${branchTable(model)} e
    where ${which} order by e.id limit ${limit} offset ${offset}`.execute(db)
  const changes = rows.map((row) => changeOf(model, row))
  const naming = await namingOf(
    db,
    changes.flatMap(({ before, after }) => [before, after]),
  )
  return changes.map((change) => ({ ...change, before: naming(change.before), after: naming(change.after) }))
}

function changeOf(model: ModelName, { id, op, touched, base, title, message, ...row }: ChangeRecord): BranchChange {
  const names = op === 'update' ? touched : mergedColumns(model).map(({ field }) => field)
  const values = Object.fromEntries(names.map((name) => [name, (row[`e_${name}`] ?? null) as FieldValue]))
  const about = { model, objectId: id, title, action: op, message }
  if (op === 'create') return { ...about, before: null, after: values }
  return op === 'delete' ? { ...about, before: values, after: null } : { ...about, before: base, after: values }
}

const all = (conditions: ReadonlyArray<RawBuilder<unknown>>) => sql.join([sql`true`, ...conditions], sql` and `)

const among = (column: string, values: ReadonlyArray<string> | undefined) =>
  values === undefined ? [] : [sql`${sql.ref(column)} = any(${values}::text[])`]

/** A pattern that matches a text literally, with the characters of patterns escaped. */
const containing = (text: string): string => `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`
