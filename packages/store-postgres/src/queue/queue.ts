import { createHash } from 'node:crypto'
import { resources } from '@netbox-pbs/core'
import { type ClaimedJob, Queue, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'
import { sql } from 'kysely'
import type { PgBoss } from 'pg-boss'
import { z } from 'zod'
import { Database } from '../database/database.ts'
import {
  deliveryQueueName,
  heartbeatTimeoutSeconds,
  openBoss,
  queueName,
  type SuperviseOptions,
  schema,
  tries,
} from './boss.ts'
import { fetchJob } from './fetch-job.ts'

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
          const fetched = yield* use('taking a job', (opened) => fetchJob(opened, database.driver, queueName))
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

const names = z.array(z.string()).exactOptional()
const StoredScopeFilter = z.object({ datastores: names, namespaces: names, job_types: names })

/** A job as the queue holds it: written by any process, perhaps of another release. */
const StoredJob = z.object({
  runId: z.int(),
  serverId: z.int().nullable(),
  resources: z.array(z.enum(resources)),
  scope_filter: StoredScopeFilter.nullable().exactOptional(),
})
/** A job as the queue holds it. */
type StoredJob = z.infer<typeof StoredJob>

const digest = (text: string): string => createHash('sha256').update(text).digest('hex')

/**
 * The key that at most one active job has: its server, or being the gateway's. Migrations make the
 * same text in SQL, so it must not change.
 */
function jobKey(serverId: number | null): string {
  return serverId === null ? 'gateway' : `server-${serverId}`
}

/**
 * The same for the same part of the same run, as a UUID: a job that is queued twice is one job.
 * Migrations make the same in SQL: it must stay.
 */
function jobId({ runId, serverId }: Pick<StoredJob, 'runId' | 'serverId'>): string {
  const hex = digest(`${runId} ${jobKey(serverId)}`)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
}

/**
 * Seconds before a job that was held by a killed process is taken again. They double each time, up
 * to the longest.
 */
const [firstPause, longestPause] = [5, 600]

/**
 * Returns the jobs of a killed process to the queue. Run it before any job is taken; only the
 * embedded engine needs it, because its folder has one process at a time, while on PostgreSQL a
 * lost worker is detected by its silence. The attempt counts and the pause grows, so a job that
 * kills its process each time is given up in the end.
 */
export const giveBackAbandoned: Effect.Effect<void, StoreFailed, Database> = Effect.flatMap(
  Database,
  ({ engine, query }) =>
    engine === 'pg'
      ? Effect.void
      : Effect.asVoid(
          query('giving back jobs', (db) =>
            sql`
              update ${sql.id(schema, 'job')} set state = 'retry', heartbeat_on = null,
                start_after = now() + least(${longestPause}::double precision, ${firstPause} * 2.0 ^ retry_count) * interval '1 second'
              where name = any(${[queueName, deliveryQueueName]}::text[]) and state = 'active'`.execute(db),
          ),
        ),
)
