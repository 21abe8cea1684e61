import { conflictKinds, possibleChoices, type Resolution } from '@netbox-pbs/core'
import type { ConflictFilter } from '@netbox-pbs/core/ports'
import { type RawBuilder, sql } from 'kysely'

/** The condition on `branch_conflicts c` that a filter means, within one branch. */
export function conflictCondition(
  branch: number,
  { ids, kinds, models, fields, scopes, resolved }: ConflictFilter,
): RawBuilder<unknown> {
  const among = (column: string, values: ReadonlyArray<string> | undefined) =>
    values === undefined ? [] : [sql`${sql.ref(`c.${column}`)} = any(${values}::text[])`]
  const conditions = [
    sql`c.branch_id = ${branch}::bigint`,
    ...(ids === undefined ? [] : [sql`c.id = any(${ids.filter(Number.isSafeInteger)}::bigint[])`]),
    ...among('kind', kinds),
    ...among('model', models),
    ...among('field', fields),
    ...among('scope_key', scopes),
    ...(resolved === undefined ? [] : [resolved ? sql`c.resolution is not null` : sql`c.resolution is null`]),
  ]
  return sql.join(conditions, sql` and `)
}

/** The conflicts that can be resolved at all. */
export function answerable({ choice }: Resolution): RawBuilder<unknown> {
  const kindsOf = (field: string | null) =>
    conflictKinds.filter((kind) => possibleChoices({ kind, field }).includes(choice))
  return sql`c.kind = any(case when c.field is null then ${kindsOf(null)}::text[] else ${kindsOf('any')}::text[] end)`
}
