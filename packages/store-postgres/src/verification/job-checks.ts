import { sql } from 'kysely'
import { jsonb } from '../database/statement-values.ts'
import { judgedColumns } from '../tables/columns.ts'
import { judgedJobs, judgeJobs, type StoredHealth } from '../writes/job-health.ts'
import { type Check, lockUnit, object } from './check.ts'

/** Servers of one page. */
const serversAtOnce = 500

const members = (health: StoredHealth) => Object.fromEntries(judgedColumns.map(({ name }) => [name, health[name]]))

const jobHealth: Check = {
  name: 'job_observations.health',
  table: 'job_observations',
  rule: 'The health of a job that was judged follows from its schedule, its tasks and the time zone of its server.',
  pieces: async (db, _, after) => {
    const { rows } = await sql<{ id: number }>`
      select id from servers where id > ${Number(after ?? 0)}::bigint order by id limit ${serversAtOnce}`.execute(db)
    const pieces = rows.map(({ id }) => ({
      title: `jobs of server ${id}`,
      compared: async (trx: Parameters<typeof judgedJobs>[0]) => {
        const { rows: times } = await sql<{ now: string }>`select now() as now`.execute(trx)
        const jobs = await judgedJobs(trx, id, times[0]?.now ?? '')
        const compared = jobs
          .filter(({ stored }) => stored.schedule_seen !== null)
          .map(({ stored, health, ...job }) => ({ ...job, stored: members(stored), recount: members(health) }))
        return sql`
          select r.id, r.title, ${object({ resource: sql`'tasks'`, server_id: sql`${id}::bigint` })} as unit, r.stored, r.recount
          from jsonb_to_recordset(${jsonb(compared)}) as r (id bigint, title text, stored jsonb, recount jsonb)`
      },
    }))
    return { pieces, next: rows.length < serversAtOnce ? null : rows.at(-1)?.id }
  },
  repair: {
    lock: lockUnit,
    write: async (db, { server_id = null }) => {
      const { rows } = await sql<{ now: string }>`select now() as now`.execute(db)
      if (server_id !== null) await judgeJobs(db, [server_id], rows[0]?.now ?? '')
    },
  },
}

/** The checks of jobs, whose values core's rules compute. */
export const jobChecks: ReadonlyArray<Check> = [jobHealth]
