import { branchedModels, type ModelName } from '@netbox-pbs/core'
import { type RawBuilder, sql } from 'kysely'
import { tables } from '../tables/columns.ts'

/** The models whose rows go with their server. */
export const childModels: ReadonlyArray<ModelName> = branchedModels.filter((model) => model !== 'server')

/**
 * Of each model the highest id of main's rows below a server, as one JSON object. Ids rise, so what
 * main gains later has a higher one.
 */
export function highestChild(server: RawBuilder<unknown>): RawBuilder<unknown> {
  const highest = childModels.flatMap((model) => [
    sql.lit(model),
    sql`(select coalesce(max(b.id), 0) from ${sql.table(tables[model])} b where b.server_id = ${server})`,
  ])
  return sql`jsonb_build_object(${sql.join(highest)})`
}

/**
 * How many rows of each model main has gained below the deleted server of the entry `e` since it
 * was deleted in the branch; null: none. What another branch has landed since took its ids when it
 * was staged, so where one has merged, the time tells.
 */
export function gainedChild(): RawBuilder<unknown> {
  const counts = childModels.map(
    (model) => sql`
      select ${sql.lit(model)} as model, count(*) as rows from ${sql.table(tables[model])} b where b.server_id = e.id
        and (b.id > (e.children ->> ${sql.lit(model)})::bigint or late.any and b.created > e.last_updated)`,
  )
  return sql`case when e.op = 'delete' and e.children is not null then (
    select jsonb_object_agg(c.model, c.rows) from (
      select exists (select from branches x where x.status = 'merged' and x.last_updated > e.last_updated) as any
    ) late cross join lateral (${sql.join(counts, sql` union all `)}) c where c.rows > 0
  ) end`
}
