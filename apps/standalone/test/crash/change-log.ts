import type { Asks } from './asks.ts'

const volatile = `'{id,created,last_updated,presence,missing_since,absent_run,last_seen_own,tags,custom_fields}'::text[]`

/** Facts of every row that the log tells of, as a table of model, id, server and a hash. */
const facts = `
  select 'datastore' as model, id, server_id, md5((to_jsonb(d) - ${volatile})::text) as facts from datastores d
  union all select 'job', id, server_id, md5((to_jsonb(j) - ${volatile})::text) from jobs j
  union all select 'namespace', id, server_id, '' from namespaces
  union all select 'group', id, server_id, md5(owner || ' ' || comment) from groups
  union all select 'snapshot', id, server_id, md5((to_jsonb(s) - ${volatile})::text) from snapshots s`

/** Saves main's rows before a run in a table of its own. */
export async function rememberRows(asks: Asks): Promise<void> {
  await asks.sql('create schema if not exists crash')
  await asks.sql('drop table if exists crash.before')
  await asks.sql(`create table crash.before as ${facts}`)
}

/** Each query finds faults: each row is one. `$1` is the run. */
const faults: Readonly<Record<string, string>> = {
  'logged more than once': `
    select model, object_id as id, count(*) as entries from changes where run_id = $1 and object_id is not null
    group by model, object_id having count(*) > 1`,
  'created rows summed up more than once': `
    select title, count(*) as entries from changes where run_id = $1 and object_id is null group by title having count(*) > 1`,
  'changes without an entry, or entries without a change': `
    with after as (${facts}), happened as (
      select coalesce(b.model, a.model) as model, coalesce(b.id, a.id) as id, case when a.id is null then 'delete' else 'update' end as action
      from crash.before b left join after a on a.model = b.model and a.id = b.id where a.id is null or a.facts <> b.facts
    ), logged as (select model, object_id as id, action from changes where run_id = $1 and object_id is not null and model <> 'server')
    (select 'not logged' as fault, * from (select * from happened except select * from logged) x)
    union all (select 'did not happen', * from (select * from logged except select * from happened) y)`,
  'sums of created rows that are wrong': `
    with after as (${facts}), made as (
      select a.server_id, a.model, count(*) as rows from after a
      where not exists (select from crash.before b where b.model = a.model and b.id = a.id) group by a.server_id, a.model
    ), logged as (
      select server_id, key as model, sum(value::bigint) as rows from changes, jsonb_each_text(counts)
      where run_id = $1 and object_id is null group by server_id, key
    )
    select * from made full join logged using (server_id, model) where made.rows is distinct from logged.rows and model <> 'server'`,
  'counts of the run that its log does not bear out': `
    with recorded as (
      select coalesce(sum(created), 0)::bigint as created, coalesce(sum(updated), 0)::bigint as updated, coalesce(sum(deleted), 0)::bigint as deleted
      from run_scopes where run_id = $1 and scope ->> 'resource' = 'snapshots'
    ), logged as (
      select coalesce(sum((counts ->> 'snapshot')::bigint) filter (where action = 'create'), 0)::bigint as created,
        count(*) filter (where action = 'update' and model = 'snapshot') as updated,
        count(*) filter (where action = 'delete' and model = 'snapshot') as deleted
      from changes where run_id = $1
    )
    select * from recorded, logged where recorded is distinct from logged`,
}

/** Faults in the log of a run that has ended, compared with its rows. */
export async function faultsOfLog(asks: Asks, run: number): Promise<ReadonlyArray<string>> {
  const found: Array<string> = []
  for (const [fault, query] of Object.entries(faults)) {
    const rows = await asks.sql(query, [run])
    if (rows.length > 0) found.push(`${fault}: ${rows.length}, such as ${JSON.stringify(rows.slice(0, 3))}`)
  }
  return found
}
