import { everyModelFields } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'

const merges: ReadonlyMap<string, 'set' | 'map'> = new Map(
  Object.entries(everyModelFields).map(([name, { merge }]) => [name, merge]),
)

/** Whether a reader of a branch merges what the branch says of a field with what main says. */
export const isMerged = (field: string): boolean => merges.has(field)

/**
 * Such a field of a row that a branch updates: main's value, with what the branch has put in and
 * without what it has taken out. The entry is `e`, main's row `m`.
 */
export function mergedValue(field: string): RawBuilder<unknown> {
  const main = sql.ref(`m.${field}`)
  const branch = sql.ref(`e.${field}`)
  const isMap = merges.get(field) === 'map'
  const base = sql`coalesce(nullif(e.base -> ${field}::text, 'null'), ${isMap ? '{}' : '[]'})`
  const merged = isMap ? mergedMap(base, main, branch) : mergedSet(base, main, branch)
  return sql`case when m.id is null then ${branch} when ${field}::text = any(e.touched) then ${merged} else ${main} end`
}

type Sql = RawBuilder<unknown>

const has = (members: Sql, member: Sql): Sql =>
  sql`exists (select from jsonb_array_elements(${members}) h (member) where h.member = ${member})`

/** The members that stay of main's, in its order, and then those that come with the branch. */
const mergedSet = (base: Sql, main: Sql, branch: Sql): Sql => sql`(
  select coalesce(jsonb_agg(x.member order by x.part, x.nth), '[]') from (
    select 1 as part, a.nth, a.member from jsonb_array_elements(${main}) with ordinality a (member, nth)
    where ${has(branch, sql`a.member`)} or not ${has(base, sql`a.member`)}
    union all
    select 2, a.nth, a.member from jsonb_array_elements(${branch}) with ordinality a (member, nth)
    where not ${has(base, sql`a.member`)} and not ${has(main, sql`a.member`)}
  ) x
)`

/** Main's members without those that the branch took out, and over them those that it changed. */
const mergedMap = (base: Sql, main: Sql, branch: Sql): Sql => sql`(
  (${main} - array(select k.name from jsonb_object_keys(${base}) k (name) where not ${branch} ? k.name))
  || coalesce((select jsonb_object_agg(a.key, a.value) from jsonb_each(${branch}) a where a.value is distinct from ${base} -> a.key), '{}')
)`
