import type { CrashSystem } from './crash-system.ts'

/** The phase of a worker: nothing is in main yet, it writes main, or it has written and clears up. */
export const phases = ['reading', 'staging', 'landing', 'clearing'] as const
export type Phase = (typeof phases)[number]

/** The phase of each worker with a job, as its sessions in the database show it. */
const statement = `
select a.application_name as worker, case
    when bool_or(exists (select from pg_locks l where l.pid = a.pid and l.locktype = 'advisory')) then 'landing'
    when bool_or(a.query ~ '^\\s*(delete from "staged_|select id from change_set_parts|delete from change_set_parts)') then 'clearing'
    when bool_or(a.query ~ 'into "?staged_' or (a.state <> 'idle' and a.query ~ 'change_set')) then 'staging'
    else 'reading'
  end as phase
from pg_stat_activity a
where a.application_name like 'worker-%' and a.query !~ 'pgboss' and a.query !~ 'settings' and a.state_change > now() - interval '1 second'
group by a.application_name`

/** A worker in a phase. */
export interface Seen {
  readonly worker: number
  readonly phase: Phase
}

/** The workers that are at a job. */
export async function seen(system: CrashSystem): Promise<ReadonlyArray<Seen>> {
  const rows = await system.sql<{ worker: string; phase: Phase }>(statement)
  const workers = rows.map(({ worker, phase }) => ({ worker: Number(worker.slice('worker-'.length)) - 1, phase }))
  return workers.filter(({ worker }) => system.isUp(worker))
}
