import { Queue, Runs, type SourceFrame } from '@netbox-pbs/core/ports'
import { Effect, Fiber, Option, TestClock, TestContext } from 'effect'
import { describe, expect, test } from 'vitest'
import { cancelRun, runJob, startRun } from '../src/index.ts'
import { type FleetServer, groupFrame, type Item } from './memory/fleet.ts'
import { cut, MemorySystem, run, synced } from './memory/system.ts'

const pbsA: FleetServer = {
  name: 'pbs-a',
  endpointId: 1,
  datastores: { tank: { namespaces: { '': { 'vm/1': [1, 2] }, a: { 'vm/2': [1] } } } },
}
const pbsB: FleetServer = { ...pbsA, name: 'pbs-b', endpointId: 2 }

/** Starts a run and takes its first job. */
const claimFirst = (system: MemorySystem) =>
  Effect.gen(function* () {
    yield* startRun({ resources: ['snapshots'], servers: null, trigger: 'manual', user: 'admin' })
    return Option.getOrThrow(yield* system.queue.claim)
  })

describe('a cancelled run', () => {
  test('drops the open scope, keeps what has landed, and names what was left', async () => {
    const system = await synced(pbsA)
    const changed: FleetServer = {
      ...pbsA,
      datastores: { tank: { namespaces: { '': { 'vm/1': [1] }, a: { 'vm/2': [] } } } },
    }
    const cancelNow = Effect.sync(() => {
      const record = system.record(system.runs.size)
      record.own = { ...record.own, cancel_requested: true }
    }).pipe(Effect.zipRight(TestClock.adjust('2 seconds')))
    system.fleet = [changed]
    system.listing = {
      failure: (scope): ReadonlyArray<Item> | null =>
        scope.resource === 'snapshots' && scope.namespace === 'a'
          ? [
              groupFrame('pbs-a', 'tank', 'a', 'vm/2', []),
              cancelNow as Item,
              groupFrame('pbs-a', 'tank', 'a', 'vm/3', [1]),
            ]
          : null,
    }
    const record = await run(system.sync(['snapshots', 'jobs']).pipe(Effect.provide(TestContext.TestContext)))
    expect(record.ends).toEqual([
      'snapshots of pbs-a/tank: landed',
      'snapshots of pbs-a/tank/a: cancelled: cancelled',
      ...['verify', 'prune', 'gc', 'sync', 'tape'].map((type) => `${type} jobs of pbs-a: cancelled: cancelled`),
    ])
    expect(record.run.status).toBe('cancelled')
    expect(system.world.all('snapshot').map(({ facts }) => facts['backup_id'])).toEqual(['1', '2'])
    expect(system.log.open.size).toBe(0)
  })

  test('is not begun when it was cancelled before', async () => {
    const system = await synced(pbsA)
    system.requests.length = 0
    const outcome = await run(
      Effect.gen(function* () {
        const claimed = yield* claimFirst(system)
        const record = system.record(claimed.job.runId)
        record.own = { ...record.own, cancel_requested: true }
        return yield* runJob(claimed)
      }).pipe(Effect.provide(system.layer), Effect.orDie),
    )
    expect(outcome).toMatchObject({ _tag: 'done', run: { status: 'cancelled' } })
    expect(system.requests).toEqual([])
  })
})

describe('a run that is cancelled while it goes', () => {
  /** A run whose stream behaves so once it has opened a scope of snapshots. */
  const cancelling = (system: MemorySystem, items: (cancel: Effect.Effect<void>) => ReadonlyArray<Item>) =>
    run(
      Effect.gen(function* () {
        const claimed = yield* claimFirst(system)
        const cancel = cancelRun({ id: claimed.job.runId }).pipe(
          Effect.asVoid,
          Effect.provide(system.layer),
          Effect.orDie,
        )
        system.listing = { failure: ({ resource }) => (resource === 'snapshots' ? items(cancel) : null) }
        const job = yield* Effect.fork(runJob(claimed))
        yield* TestClock.adjust('10 seconds')
        return yield* Fiber.join(job)
      }).pipe(Effect.provide(system.layer), Effect.provide(TestContext.TestContext), Effect.orDie),
    )

  test('stops although its source stays silent, and ends the request to it', async () => {
    const system = await synced(pbsA)
    let left = false
    const deletable = Effect.sync(() => {
      left = true
    })
    const outcome = await cancelling(system, (cancel) => [
      groupFrame('pbs-a', 'tank', '', 'vm/9', [1]),
      Effect.zipRight(
        cancel,
        Effect.onInterrupt(Effect.never, () => deletable),
      ),
    ])
    expect(outcome).toMatchObject({ _tag: 'done', run: { status: 'cancelled' } })
    expect(left).toBe(true)
    expect(system.lastRun.outcomes).toMatchObject({ landed: 0, cancelled: 2 })
    expect(system.log.open.size).toBe(0)
  })

  test('takes in no further frame, however many the source has ready', async () => {
    const system = await synced(pbsA)
    const scope = { resource: 'snapshots', server: 'pbs-a', datastore: 'tank', namespace: '' } as const
    let parsed = 0
    const outcome = await run(
      Effect.gen(function* () {
        const claimed = yield* claimFirst(system)
        const reached = yield* Effect.makeLatch()
        const goOn = yield* Effect.makeLatch()
        const frames = Array.from({ length: 100 }, (_, n): SourceFrame => {
          const frame = groupFrame('pbs-a', 'tank', '', `vm/${100 + n}`, [1])
          if (frame._tag !== 'group') throw new Error('not a group')
          const wait = n === 0 ? Effect.zipRight(reached.open, goOn.await) : Effect.void
          const count = Effect.sync(() => {
            parsed += 1
          })
          return { ...frame, parse: wait.pipe(Effect.zipRight(count), Effect.zipRight(frame.parse)) }
        })
        system.chunks = () => [[{ _tag: 'scope', scope }, ...frames]]
        const job = yield* Effect.fork(runJob(claimed))
        // While the first frame is taken in, the run is cancelled and the job looks.
        yield* reached.await
        yield* cancelRun({ id: claimed.job.runId })
        yield* TestClock.adjust('1 seconds')
        yield* goOn.open
        return yield* Fiber.join(job)
      }).pipe(Effect.provide(system.layer), Effect.provide(TestContext.TestContext), Effect.orDie),
    )
    expect(outcome).toMatchObject({ _tag: 'done', run: { status: 'cancelled' } })
    expect(parsed).toBe(1)
  })

  test('is not tried again when its source fails before the job has looked', async () => {
    const system = await synced(pbsA)
    const outcome = await cancelling(system, (cancel) => [Effect.zipRight(cancel, cut(true))])
    expect(outcome).toMatchObject({ _tag: 'done', run: { status: 'cancelled' } })
  })

  test('ends the jobs that wait, also those that wait to be tried again, without beginning them', async () => {
    const system = await synced(pbsA, pbsB)
    system.requests.length = 0
    const cancelled = await run(
      Effect.gen(function* () {
        const claimed = yield* claimFirst(system)
        yield* Effect.flatMap(Runs, (runs) => runs.startJob({ id: claimed.job.runId, serverId: claimed.job.serverId }))
        yield* Effect.flatMap(Queue, (queue) => queue.retry(claimed, 'no answer'))
        return yield* cancelRun({ id: claimed.job.runId })
      }).pipe(Effect.provide(system.layer), Effect.orDie),
    )
    expect(Option.getOrThrow(cancelled)).toMatchObject({ status: 'cancelled' })
    expect([system.queue.jobs, system.requests]).toEqual([[], []])
  })

  test('before the gateway has queued the jobs of the servers, queues none', async () => {
    const system = await synced(pbsA)
    const outcome = await run(
      Effect.gen(function* () {
        yield* startRun({ resources: ['servers', 'jobs'], servers: null, trigger: 'manual', user: 'admin' })
        const claimed = Option.getOrThrow(yield* system.queue.claim)
        const cancel = cancelRun({ id: claimed.job.runId }).pipe(
          Effect.asVoid,
          Effect.provide(system.layer),
          Effect.orDie,
        )
        const { frames } = system
        system.frames = function* (request) {
          yield* frames(request)
          yield cancel
        }
        return yield* runJob(claimed)
      }).pipe(Effect.provide(system.layer), Effect.orDie),
    )
    expect(outcome).toMatchObject({ _tag: 'done', run: { status: 'cancelled' } })
    expect(system.queue.jobs.map(({ job }) => job.serverId)).toEqual([null])
  })

  test('that is not there is none', async () => {
    const system = new MemorySystem()
    expect(await run(cancelRun({ id: 7 }).pipe(Effect.provide(system.layer), Effect.orDie))).toEqual(Option.none())
  })
})
