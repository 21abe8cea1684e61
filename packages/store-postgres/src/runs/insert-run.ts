import type { Run } from '@netbox-pbs/core'
import type { NewRun } from '@netbox-pbs/core/ports'
import { type Kysely, sql } from 'kysely'
import type { Tables } from '../database/tables.ts'
import { selectRuns } from './run-row.ts'

/** Records a run within a transaction. */
export async function insertRun(
  db: Kysely<Tables>,
  { resources, servers, scope_filter = null, trigger, user }: NewRun,
): Promise<Run> {
  const chosen = servers === null ? null : JSON.stringify(servers)
  const filterJson = scope_filter === null ? null : JSON.stringify(scope_filter)
  const { rows } = await sql<{ id: number }>`
    insert into runs (resources, servers, scope_filter, trigger, started_by)
    values (${JSON.stringify(resources)}::text::jsonb, (${serversOf(chosen)}), ${filterJson}::text::jsonb,
      ${trigger}, ${user})
    returning id`.execute(db)
  const [run] = await selectRuns(db, sql`id = ${rows[0]?.id ?? 0}::bigint`)
  if (run === undefined) throw new Error('an inserted run was not returned')
  return run
}

/** Chosen servers with their ids and names, from a list in which a text is a name and a number an id. */
const serversOf = (chosen: string | null) => sql`
  select jsonb_agg(jsonb_build_object('id', v.id, 'name', coalesce(v.name, c.value #>> '{}')) order by c.place)
  from jsonb_array_elements(${chosen}::text::jsonb) with ordinality as c (value, place)
  left join servers v on case when jsonb_typeof(c.value) = 'number' then v.id = (c.value #>> '{}')::bigint else v.name = c.value #>> '{}' end`
