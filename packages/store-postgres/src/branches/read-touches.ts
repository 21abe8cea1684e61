import type { ModelName } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { branchTable } from './branch-columns.ts'

/** Whether and how a branch changes the rows of a model. */
export interface Touches {
  readonly creates: boolean
  readonly deletes: boolean
  /** The sets of fields that its updates touch, each once. */
  readonly updates: ReadonlyArray<ReadonlyArray<string>>
}

/** One value, in JSON: `{op, touched}` of every kind of entry there is. */
export interface EntryKind {
  readonly op: 'create' | 'update' | 'delete'
  readonly touched: ReadonlyArray<string>
}

/**
 * The kinds of entries of a branch, as a JSON array. They are few however many entries there are,
 * so the index is followed from one kind to the next instead of being read through.
 */
export const entryKinds = (branch: number, model: ModelName): RawBuilder<unknown> => sql`(
  with recursive kinds as (
    (select e.op, e.touched from ${branchTable(model)} e where e.branch_id = ${branch}::bigint order by e.op, e.touched limit 1)
    union all
    select n.op, n.touched from kinds k cross join lateral (
      select e.op, e.touched from ${branchTable(model)} e where e.branch_id = ${branch}::bigint and (e.op, e.touched) > (k.op, k.touched)
      order by e.op, e.touched limit 1
    ) n
  )
  select coalesce(jsonb_agg(jsonb_build_object('op', k.op, 'touched', k.touched)), '[]') from kinds k
)`

/** The changes that the kinds of entries imply. */
export function touchesOf(kinds: ReadonlyArray<EntryKind>): Touches {
  return {
    creates: kinds.some(({ op }) => op === 'create'),
    deletes: kinds.some(({ op }) => op === 'delete'),
    updates: kinds.flatMap(({ op, touched }) => (op === 'update' ? [touched] : [])),
  }
}

/** Reads how a branch changes a model. */
export async function readTouches(db: Kysely<Tables>, branch: number, model: ModelName): Promise<Touches> {
  const { rows } = await sql<{ kinds: ReadonlyArray<EntryKind> }>`
    select ${entryKinds(branch, model)} as kinds`.execute(db)
  return touchesOf(rows[0]?.kinds ?? [])
}

/** Of sets of touched fields those that have any of these. */
export const touching = (
  sets: ReadonlyArray<ReadonlyArray<string>>,
  fields: ReadonlySet<string>,
): ReadonlyArray<ReadonlyArray<string>> => sets.filter((set) => set.some((field) => fields.has(field)))

/** Whether the entry `e` touches exactly one of these sets of fields. */
export const touchesOneOf = (sets: ReadonlyArray<ReadonlyArray<string>>): RawBuilder<boolean> =>
  sets.length === 0
    ? sql<boolean>`false`
    : sql<boolean>`(${sql.join(
        sets.map((set) => sql`e.touched = ${set}::text[]`),
        sql` or `,
      )})`
