import type { ModelName } from '@netbox-pbs/core'
import type { BranchChangeFilter, BranchFilter } from '@netbox-pbs/core/ports'
import { type RawBuilder, sql } from 'kysely'
import { rowTitle } from '../change-log/append-changes.ts'

/** The condition on `branches b` that a filter means. */
export function branchCondition({
  statuses,
  kinds,
  names,
  schemaIds,
  users,
  search,
  stagedBy,
}: BranchFilter): RawBuilder<unknown> {
  const run = stagedBy === undefined ? undefined : sql`${stagedBy}::bigint`
  return all([
    ...among('b.status', statuses),
    ...among('b.kind', kinds),
    ...among('b.name', names),
    ...among('b.schema_id', schemaIds),
    ...among('b.user_name', users),
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

/** The condition on the entries `e` of a model that a filter means; null: it means none of that model. */
export function entryCondition(
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

const all = (conditions: ReadonlyArray<RawBuilder<unknown>>) => sql.join([sql`true`, ...conditions], sql` and `)

const among = (column: string, values: ReadonlyArray<string> | undefined) =>
  values === undefined ? [] : [sql`${sql.ref(column)} = any(${values}::text[])`]

/** A pattern that matches a text literally, with the characters of patterns escaped. */
const containing = (text: string): string => `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`
