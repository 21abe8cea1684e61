import type { Run } from '@netbox-pbs/core'
import type { NewRun, StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { sql } from 'kysely'
import type { Run as RunStatement } from '../database/session.ts'
import { selectRuns } from './run-row.ts'

/** Records a run within a transaction. */
export const insertRun = (
  step: RunStatement,
  { resources, servers, scope_filter = null, trigger, user }: NewRun,
): Effect.Effect<Run, StoreFailed> =>
  Effect.gen(function* () {
    const chosen = servers === null ? null : JSON.stringify(servers)
    const filterJson = scope_filter === null ? null : JSON.stringify(scope_filter)
    const { rows } = yield* step((db) =>
      sql<{ id: number }>`
        insert into runs (resources, servers, scope_filter, trigger, started_by)
        values (${JSON.stringify(resources)}::text::jsonb, (${serversOf(chosen)}), ${filterJson}::text::jsonb,
          ${trigger}, ${user})
        returning id`.execute(db),
    )
    const [run] = yield* step((db) => selectRuns(db, sql`id = ${rows[0]?.id ?? 0}::bigint`))
    return run === undefined ? yield* Effect.dieMessage('an inserted run was not returned') : run
  })

/** Chosen servers with their ids and names, from a list in which a text is a name and a number an id. */
const serversOf = (chosen: string | null) => sql`
  select jsonb_agg(jsonb_build_object('id', v.id, 'name', coalesce(v.name, c.value #>> '{}')) order by c.place)
  from jsonb_array_elements(${chosen}::text::jsonb) with ordinality as c (value, place)
  left join servers v on case when jsonb_typeof(c.value) = 'number' then v.id = (c.value #>> '{}')::bigint else v.name = c.value #>> '{}' end`
