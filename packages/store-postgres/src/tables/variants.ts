import { type RawBuilder, sql } from 'kysely'

/**
 * The columns of snapshots that counters tell apart, besides their place. Snapshots of a group that
 * agree in all of them, and in their comment, are one variant.
 */
export const variantColumns = ['owner', 'protected', 'verification_state', 'crypt_mode', 'finished'] as const

const texts: ReadonlySet<string> = new Set(['owner', 'verification_state', 'crypt_mode', 'comment'])
const members = [...variantColumns, 'comment']

/** Variants by their columns, those of a group also by `comment`, with how many `snapshots` each has, from a stored column. */
export const variantsOf = (stored: RawBuilder<unknown>): RawBuilder<unknown> => sql`
  select ${sql.join(
    members.map((name, nth) => {
      const value = sql`(e ->> ${sql.lit(nth)})`
      return texts.has(name) ? sql`${value} collate "C" as ${sql.id(name)}` : sql`${value}::boolean as ${sql.id(name)}`
    }),
  )}, (e ->> ${sql.lit(members.length)})::bigint as snapshots
  from jsonb_array_elements(${stored}) e`

/** The stored column of the variants that the rows of an alias are, each once: `snapshots` is how many each has. */
export function storedVariants(alias: string, comment: 'by comment' | 'of all comments'): RawBuilder<unknown> {
  const names = comment === 'by comment' ? members : variantColumns
  const ofAll = comment === 'by comment' ? [] : [sql`null::text`]
  const values = sql.join([...names.map((name) => sql.ref(`${alias}.${name}`)), ...ofAll])
  const order = sql.join(names.map((name) => sql.ref(`${alias}.${name}`)))
  return sql`coalesce(jsonb_agg(jsonb_build_array(${values}, ${sql.ref(`${alias}.snapshots`)}) order by ${order}), '[]')`
}
