import { type ClaimedJob, Queue, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { sql } from 'kysely'
import type { PgBoss } from 'pg-boss'
import { Database } from '../database/database.ts'
import { heartbeatTimeoutSeconds, queueName, schema, tries } from './boss-options.ts'
import { fetchJob } from './fetch-job.ts'
import { openBoss, type SuperviseOptions } from './open-boss.ts'
import { jobId, jobKey, StoredJob } from './sync-job.ts'

const jobs = sql.id(schema, 'job')

/**
 * pg-boss' name of one attempt: a call for an earlier attempt does not affect a job that another
 * worker has taken since.
 */
const attemptOf = ({ id, attempt }: ClaimedJob) => ({ id, retryCount: attempt - 1 })

/** How long a job is delayed that a worker cannot take now. */
const putOffSeconds = 5

/**
 * The queue on pg-boss, in the inventory's database. It opens with its first use, after `migrate`,
 * and no timer of it outlives the scope.
 */
export const queueLayer: Layer.Layer<Queue, never, Database> = queueLayerWith({
  superviseSeconds: 20,
  heartbeatTimeoutSeconds,
})

/** The same, with other times to find lost workers in; of all processes that look, one does at a time. */
export function queueLayerWith(options: SuperviseOptions): Layer.Layer<Queue, never, Database> {
  return Layer.scoped(
    Queue,
    Effect.gen(function* () {
      const database = yield* Database
      const boss = yield* openBoss(database, options)

      const use = <A>(operation: string, call: (boss: PgBoss) => Promise<A>): Effect.Effect<A, StoreFailed> =>
        Effect.flatMap(boss, (opened) => database.query(operation, () => call(opened)))

      return Queue.of({
        enqueue: Effect.fn('Queue.enqueue')(function* (job, { urgent }) {
          const options = { id: jobId(job), singletonKey: jobKey(job.serverId), priority: urgent ? 1 : 0 }
          yield* use('queueing a job', (opened) => opened.send(queueName, StoredJob.parse(job), options))
        }),

        drop: Effect.fn('Queue.drop')(function* ({ runId }) {
          // One statement, so that a job that is taken at this moment stays with its worker. Kept
          // as cancelled, it is known and not queued again.
          const { rows } = yield* database.query('taking jobs off the queue', (db) =>
            sql<{ serverId: number | null }>`
            update ${jobs} set state = 'cancelled', completed_on = now()
            where name = ${queueName} and state < 'active' and (data ->> 'runId')::bigint = ${runId}::bigint
            returning (data ->> 'serverId')::bigint as "serverId"`.execute(db),
          )
          return rows.map(({ serverId }) => serverId)
        }),

        missing: Effect.fn('Queue.missing')(function* <J extends Pick<StoredJob, 'runId' | 'serverId'>>(
          requested: ReadonlyArray<J>,
        ) {
          const byId = new Map(requested.map((job) => [jobId(job), job]))
          const { rows } = yield* database.query('looking for jobs of runs', (db) =>
            sql<{ id: string }>`
            select id from ${jobs}
            where name = ${queueName} and state < 'completed' and id = any(${[...byId.keys()]}::uuid[])`.execute(db),
          )
          for (const { id } of rows) byId.delete(id)
          return [...byId.values()]
        }),

        claim: Effect.fn('Queue.claim')(function* ({ avoid = [] } = {}) {
          if (avoid.length > 0)
            yield* database.query('putting jobs off', (db) =>
              sql`
                update ${jobs} set start_after = now() + ${putOffSeconds} * interval '1 second'
                where name = ${queueName} and state < 'active' and start_after <= now()
                  and singleton_key = any(${avoid.map(jobKey)}::text[])`.execute(db),
            )
          const fetched = yield* use('taking a job', (opened) => fetchJob(opened, database.driver))
          if (Option.isNone(fetched)) return Option.none()
          const { id, data, retryCount, heartbeatSeconds } = fetched.value
          const claimed = {
            id,
            job: StoredJob.parse(data),
            attempt: retryCount + 1,
            last: retryCount + 1 >= tries,
            heartbeatTimeoutSeconds: options.heartbeatTimeoutSeconds,
          }
          // The caller that queued the job did not know its worker.
          if (heartbeatSeconds !== options.heartbeatTimeoutSeconds)
            yield* database.query('taking a job', (db) =>
              sql`
                update ${jobs} set heartbeat_seconds = ${options.heartbeatTimeoutSeconds}::integer
                where name = ${queueName} and id = ${id}::uuid and state = 'active' and retry_count = ${retryCount}::integer`.execute(
                db,
              ),
            )
          return Option.some(claimed)
        }),

        heartbeat: Effect.fn('Queue.heartbeat')(function* (claimed) {
          yield* use('keeping a job', (opened) => opened.touch(queueName, attemptOf(claimed)))
        }),

        complete: Effect.fn('Queue.complete')(function* (claimed) {
          yield* use('completing a job', (opened) => opened.complete(queueName, attemptOf(claimed)))
        }),

        retry: Effect.fn('Queue.retry')(function* (claimed, reason) {
          yield* use('putting a job off', (opened) =>
            claimed.last
              ? opened.cancel(queueName, attemptOf(claimed))
              : opened.fail(queueName, attemptOf(claimed), { reason }),
          )
        }),

        release: Effect.fn('Queue.release')(function* (claimed) {
          const { id, retryCount } = attemptOf(claimed)
          // pg-boss counts a try by `started_on`, and has no call that takes it back.
          yield* database.query('giving a job back', (db) =>
            sql`
            update ${jobs} set state = 'created', started_on = null, heartbeat_on = null
            where name = ${queueName} and id = ${id}::uuid and state = 'active' and retry_count = ${retryCount}::integer`.execute(
              db,
            ),
          )
        }),

        busy: Effect.fn('Queue.busy')(function* ({ serverId }) {
          const { rows } = yield* database.query('looking for jobs of a server', (db) =>
            // States are ordered: created, retry, active, and then those of a job that is over.
            sql`
            select from ${jobs}
            where name = ${queueName} and singleton_key = ${jobKey(serverId)} and state < 'completed' limit 1`.execute(
              db,
            ),
          )
          return rows.length > 0
        }),
      })
    }),
  )
}
