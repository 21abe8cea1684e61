import { type ClaimedJob, Queue, type SyncJob } from '@netbox-pbs/core/ports'
import { queueContract } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime, Option, Schedule } from 'effect'
import { sql } from 'kysely'
import { PgBoss } from 'pg-boss'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { migrate } from '../src/migrations/migrate.ts'
import { bossOptions, queueName } from '../src/queue/boss.ts'
import { migrateQueue } from '../src/queue/migrate-queue.ts'
import { giveBackAbandoned, queueLayer, queueLayerWith } from '../src/queue/queue.ts'
import { engines } from './engines.ts'

const job = (runId: number, serverId: number | null): SyncJob => ({
  runId,
  serverId,
  resources: ['datastores', 'snapshots'],
})

const [a, b] = [1, 2]

describe.each(engines)('Queue on $engine', ({ empty }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(queueLayer, empty))
  const run = <A, E>(effect: Effect.Effect<A, E, Queue | Database>) => runtime.runPromise(effect)
  const queue = <A, E>(use: (queue: typeof Queue.Service) => Effect.Effect<A, E>) => run(Effect.flatMap(Queue, use))
  const statement = (text: string) =>
    run(Effect.flatMap(Database, (database) => database.query('testing', (db) => sql.raw(text).execute(db))))

  beforeAll(() => run(migrate))
  beforeEach(() => statement('delete from pgboss.job'))
  afterAll(() => runtime.dispose())

  const enqueue = (...jobs: ReadonlyArray<SyncJob>) =>
    queue((q) => Effect.forEach(jobs, (one) => q.enqueue(one, { urgent: false }), { discard: true }))
  const claim = () => queue((q) => q.claim())
  const claimed = async (): Promise<ClaimedJob> => Option.getOrThrow(await claim())
  /** Time that passes for jobs that wait for it. */
  const backoffIsOver = () => statement("update pgboss.job set start_after = now() where state = 'retry'")

  queueContract({ run, tries: 5, endDelays: () => statement('update pgboss.job set start_after = now()') })

  test('does not have a job that its table lost', async () => {
    await enqueue(job(1, a), job(2, null))
    await statement(`delete from pgboss.job where (data ->> 'runId')::int = 2`)
    expect(await queue((q) => q.missing([job(1, a), job(2, null)]))).toEqual([job(2, null)])
  })

  test('backs off for longer each time', async () => {
    await enqueue(job(1, a))
    const waits: Array<number> = []
    for (let n = 0; n < 3; n += 1) {
      const one = await claimed()
      await queue((q) => q.retry(one, 'no'))
      const { rows } = await run(
        Effect.flatMap(Database, (database) =>
          database.query('testing', (db) =>
            sql<{ wait: number }>`
              select extract(epoch from start_after - now())::float8 as wait from pgboss.job where state = 'retry'`.execute(
              db,
            ),
          ),
        ),
      )
      waits.push(rows[0]?.wait ?? 0)
      await backoffIsOver()
    }
    const [first = 0, second = 0, third = 0] = waits
    expect(first).toBeGreaterThan(10)
    expect(second).toBeGreaterThan(first * 0.9)
    expect(third).toBeGreaterThan(second * 0.9)
    expect(third).toBeLessThanOrEqual(600)
  })

  describe('a worker that is lost', () => {
    /** As if its last heartbeat lay so far back, and pg-boss had not looked since. */
    const silentFor = async (seconds: number) => {
      await statement(
        `update pgboss.job set heartbeat_on = now() - interval '${seconds} seconds' where state = 'active'`,
      )
      await statement('update pgboss.queue set monitor_on = null, monitor_claim_on = null')
    }
    /** The periodic work that the queue does on its own. */
    const supervised = async () => {
      const { driver } = await run(Database)
      const boss = await new PgBoss({ ...bossOptions(driver), supervise: false }).start()
      await boss.supervise(queueName)
      await boss.stop({ graceful: false, close: false })
    }

    test('loses its job to another, and can no longer end it', async () => {
      await enqueue(job(1, a))
      const lost = await claimed()
      await silentFor(61)
      await supervised()
      await backoffIsOver()
      const again = await claimed()
      expect(again).toMatchObject({ id: lost.id, job: job(1, a), attempt: 2 })
      await queue((q) => q.complete(lost))
      await queue((q) => q.release(lost))
      await queue((q) => q.retry(lost, 'late'))
      expect(await claim()).toEqual(Option.none())
      expect(await queue((q) => q.busy({ serverId: a }))).toBe(true)
      await queue((q) => q.complete(again))
      expect(await queue((q) => q.busy({ serverId: a }))).toBe(false)
    })

    test('is told from one that still beats', async () => {
      await enqueue(job(1, a), job(1, b))
      const [held, lost] = [await claimed(), await claimed()]
      await silentFor(61)
      await queue((q) => q.heartbeat(held))
      await supervised()
      await backoffIsOver()
      expect(await claimed()).toEqual({ ...lost, attempt: 2 })
      expect(await claim()).toEqual(Option.none())
    })

    test('is looked for by every process that uses the queue', async () => {
      await enqueue(job(1, a))
      const lost = await claimed()
      const database = await run(Database)
      const again = await Effect.runPromise(
        Effect.gen(function* () {
          const other = yield* Queue
          yield* other.claim()
          yield* Effect.promise(() => silentFor(61))
          // The round of a supervisor, then the end of the backoff.
          const next = Effect.promise(backoffIsOver).pipe(Effect.andThen(other.claim()), Effect.flatten)
          return yield* Effect.retry(next, Schedule.spaced('100 millis'))
        }).pipe(
          Effect.provide(queueLayerWith({ superviseSeconds: 1, heartbeatTimeoutSeconds: 60 })),
          Effect.provideService(Database, database),
        ),
      )
      expect(again).toEqual({ ...lost, attempt: 2 })
    })

    test('is held to be lost after the time it said itself', async () => {
      await enqueue(job(1, a), job(1, b))
      const patient = await claimed()
      const database = await run(Database)
      const lost = await Effect.runPromise(
        Effect.flatMap(Queue, (q) => Effect.map(q.claim(), Option.getOrThrow)).pipe(
          Effect.provide(queueLayerWith({ superviseSeconds: 60, heartbeatTimeoutSeconds: 10 })),
          Effect.provideService(Database, database),
        ),
      )
      expect([patient.heartbeatTimeoutSeconds, lost.heartbeatTimeoutSeconds]).toEqual([60, 10])
      await silentFor(11)
      await supervised()
      await backoffIsOver()
      expect(await claimed()).toEqual({ ...lost, attempt: 2, heartbeatTimeoutSeconds: 60 })
      expect(await claim()).toEqual(Option.none())
    })

    test('is known to be lost by the only process that can have the database open, and its job waits longer each time', async () => {
      await enqueue(job(1, a))
      const lost = await claimed()
      await run(giveBackAbandoned)
      expect(await claim()).toEqual(Option.none())
      const { engine } = await run(Database)
      if (engine === 'pg') return
      const pause = async () => {
        const { rows } = await statement(
          'select extract(epoch from start_after - now())::integer as seconds from pgboss.job',
        )
        return (rows[0] as { readonly seconds: number }).seconds
      }
      const first = await pause()
      expect(first).toBeGreaterThan(0)
      await backoffIsOver()
      expect(await claim()).toEqual(Option.some({ ...lost, attempt: 2 }))
      await run(giveBackAbandoned)
      expect(await pause()).toBeGreaterThan(first)
      await statement('update pgboss.job set retry_count = 9')
      await statement("update pgboss.job set state = 'active'")
      await run(giveBackAbandoned)
      expect(await pause()).toBeLessThanOrEqual(600)
    })

    test('has its job taken again even at the last try, because nothing else would end its run', async () => {
      await enqueue(job(1, a))
      await claimed()
      await statement("update pgboss.job set retry_count = 4 where state = 'active'")
      await silentFor(61)
      await supervised()
      await backoffIsOver()
      expect(await claimed()).toMatchObject({ attempt: 6, last: true })
    })
  })

  test('migrates again and at once without harm', async () => {
    await enqueue(job(1, a))
    await run(
      Effect.flatMap(Database, (database) =>
        Effect.all([migrateQueue(database), migrateQueue(database), migrateQueue(database)], {
          concurrency: 'unbounded',
        }),
      ),
    )
    expect((await claimed()).job).toEqual(job(1, a))
  })

  test('leaves no timer behind', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    const database = await run(Database)
    const before = timers()
    const during = await Effect.runPromise(
      Effect.flatMap(Queue, (q) => Effect.map(q.claim(), timers)).pipe(
        Effect.provide(queueLayer),
        Effect.provideService(Database, database),
      ),
    )
    expect(during).toBeGreaterThan(before)
    // Other timers of the test runner may have ended, so fewer is no leak.
    expect(timers()).toBeLessThanOrEqual(before)
  })
})
