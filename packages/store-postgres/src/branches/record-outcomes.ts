import {
  branchedModels,
  type FieldValue,
  type FieldValues,
  type ModelName,
  sameValue,
  type Write,
} from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { branchedModelsOf, type ScopePlace } from '../scopes/scope-place.ts'
import { sameKey, tables } from '../tables/columns.ts'
import { branchTable } from './branch-columns.ts'
import { ofPlace } from './covered-scopes.ts'
import type { Entry } from './read-entries.ts'

/**
 * The effect of a merge on the object of an entry, kept in the entry's `outcome` where it differs
 * from the entry. Empty: it wrote nothing.
 *
 * `before` and `after` are main's values around an update, of the fields that were written; of a
 * deletion `before` has the fields in which main's row differed from the entry's.
 */
export interface Outcome {
  readonly op?: 'create' | 'update' | 'delete'
  /** Id of main's row, where it is not the entry's. */
  readonly id?: number
  readonly before?: FieldValues
  readonly after?: FieldValues
}

/** The write for an entry: null when the entry was left out. */
export interface Written {
  readonly entry: Entry
  readonly write: Write | null
}

/** The outcome of an entry; null: the merge did what the entry says. */
export function outcomeOf({ entry: { id, mainId, op, sides }, write }: Written): Outcome | null {
  if (write === null) return {}
  switch (write._tag) {
    case 'none':
      // An update that touches nothing only lists its row.
      return op === 'update' && Object.keys(sides.branch ?? {}).length === 0 ? null : {}
    case 'create':
      return op === 'create' ? null : { op: 'create' }
    case 'adopt':
    case 'update': {
      const before = Object.fromEntries(write.fields.map(({ field, base }) => [field, base]))
      const after = Object.fromEntries(write.fields.map(({ field, value }) => [field, value]))
      const asStated = op === 'update' && sameFields(before, sides.base) && sameFields(after, sides.branch)
      return asStated
        ? null
        : { op: 'update', ...(mainId === null || mainId === id ? {} : { id: mainId }), before, after }
    }
    case 'delete': {
      const was = Object.entries(sides.main ?? {}).filter(
        ([field, value]) => !sameValue(value, sides.base?.[field] ?? null),
      )
      return was.length === 0 ? null : { op: 'delete', before: Object.fromEntries(was) }
    }
  }
}

function sameFields(a: Readonly<Record<string, FieldValue>>, b: FieldValues | null): boolean {
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b ?? {}).length &&
    names.every((name) => b !== null && name in b && sameValue(a[name] ?? null, b[name] ?? null))
  )
}

/** Notes what a merge writes for entries of one model. Of those that land as they are nothing is written. */
export async function recordOutcomes(
  db: Kysely<Tables>,
  { branch, model }: { readonly branch: number; readonly model: ModelName },
  written: ReadonlyArray<Written>,
): Promise<void> {
  const rows = written.flatMap((one) => {
    const outcome = outcomeOf(one)
    return outcome === null ? [] : [{ id: one.entry.id, outcome }]
  })
  if (rows.length === 0) return
  await sql`
    update ${branchTable(model)} e set outcome = r.outcome
    from jsonb_to_recordset(${jsonb(rows)}) as r (id bigint, outcome jsonb)
    where e.branch_id = ${branch}::bigint and e.id = r.id`.execute(db)
}

/** Notes that nothing of a scope was merged, and gives of how many entries. */
export async function leaveOut(db: Kysely<Tables>, branch: number, place: ScopePlace): Promise<number> {
  let entries = 0
  for (const model of branchedModelsOf(place.resource)) {
    const { numAffectedRows } = await sql`
      update ${branchTable(model)} e set outcome = '{}' where e.branch_id = ${branch}::bigint and ${ofPlace(place)}`.execute(
      db,
    )
    entries += Number(numAffectedRows ?? 0n)
  }
  return entries
}

/**
 * Completes the outcomes of a merge from what main has after it: the ids of rows that came back
 * under new ones, and entries that came to nothing because a landing kept the row, or their server
 * is gone. To be called at the end of the merge's transaction.
 */
export async function refreshOutcomes(db: Kysely<Tables>, branch: number): Promise<void> {
  for (const model of branchedModels) {
    const entries = branchTable(model)
    const main = sql.table(tables[model])
    await sql`
      update ${entries} e set outcome = e.outcome || jsonb_build_object('id', m.id) from ${main} m
      where e.branch_id = ${branch}::bigint and e.outcome ->> 'op' = 'create' and ${sameKey(model, 'm', 'e')}`.execute(
      db,
    )
    await sql`
      update ${entries} e set outcome = '{}'
      where e.branch_id = ${branch}::bigint and coalesce(e.outcome ->> 'op', 'delete') = 'delete' and e.outcome is distinct from '{}'
        and (e.op = 'delete') = exists (select from ${main} m where m.id = e.id)`.execute(db)
  }
}
