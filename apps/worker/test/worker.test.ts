import { type Deliveries, type Findings, Objectives } from '@netbox-pbs/core/ports'
import { cancelRun, startRun } from '@netbox-pbs/sync'
import { cut, type FleetServer, MemorySystem } from '@netbox-pbs/sync/memory'
import { noDeliveries } from '@netbox-pbs/testing/no-deliveries'
import { noFindings } from '@netbox-pbs/testing/no-findings'
import { Duration, Effect, Fiber, Layer, Logger, LogLevel, Option, TestClock, TestContext } from 'effect'
import { describe, expect, test } from 'vitest'
import { runWorker, tick } from '../src/index.ts'

const pbsA: FleetServer = {
  name: 'pbs-a',
  endpointId: 1,
  datastores: { tank: { namespaces: { '': { 'vm/1': [1] } } } },
}
const pbsB: FleetServer = { ...pbsA, name: 'pbs-b', endpointId: 2 }

/** A system with a fleet and connected servers, and a run of these resources waiting. */
const waiting = (system: MemorySystem, ...fleet: ReadonlyArray<FleetServer>) => {
  system.fleet = fleet
  for (const { name, endpointId } of fleet) system.world.connect(name, endpointId)
  return startRun({ resources: ['datastores', 'snapshots'], servers: null, trigger: 'manual', user: 'admin' })
}
/** No groups that wait to be judged. */
const noObjectives = Layer.mock(Objectives, { judge: () => Effect.succeed(false) })

const inWorld = <A, E>(
  system: MemorySystem,
  effect: Effect.Effect<A, E, Layer.Layer.Success<MemorySystem['layer']> | Deliveries | Findings | Objectives>,
) =>
  Effect.runPromise(
    effect.pipe(
      Effect.provide(Layer.mergeAll(system.layer, noDeliveries, noFindings, noObjectives)),
      Effect.provide(TestContext.TestContext),
      Logger.withMinimumLogLevel(LogLevel.None),
      Effect.orDie,
    ),
  )

describe('a tick', () => {
  test('runs one job, and reports an empty queue', async () => {
    const system = new MemorySystem()
    const worked = await inWorld(system, Effect.zipRight(waiting(system, pbsA, pbsB), Effect.all([tick, tick, tick])))
    expect(worked).toEqual([true, true, false])
    expect(system.queue.events).toEqual(['complete job-1', 'complete job-2'])
    expect(system.lastRun).toMatchObject({ status: 'completed', counts: { created: 6 } })
  })

  test('gives a job back to be tried again when its source stops', async () => {
    const system = new MemorySystem()
    system.frames = () => [cut(true)]
    await inWorld(system, Effect.zipRight(waiting(system, pbsA), Effect.all([tick, tick, tick])))
    expect(system.queue.events).toEqual(['retry job-1', 'retry job-1', 'complete job-1'])
    expect(system.lastRun).toMatchObject({ status: 'failed', error: 'the stream was cut off' })
  })

  test('records what each try failed with', async () => {
    const system = new MemorySystem()
    system.frames = () => [cut(true)]
    await inWorld(system, Effect.zipRight(waiting(system, pbsA), Effect.all([tick, tick])))
    expect(system.record(1).retried).toEqual(['pbs-a: the stream was cut off', 'pbs-a: the stream was cut off'])
    const other = new MemorySystem()
    other.frames = () => {
      throw new Error('a bug')
    }
    await inWorld(other, Effect.zipRight(waiting(other, pbsB), tick))
    expect(other.record(1).retried).toEqual(["pbs-b: internal error; see the worker's log"])
  })

  test('gives up a job whose workers were lost again and again, without another try', async () => {
    const system = new MemorySystem()
    await inWorld(
      system,
      Effect.gen(function* () {
        yield* waiting(system, pbsA)
        const [queued] = system.queue.jobs
        if (queued !== undefined) queued.attempt = 10
        yield* tick
      }),
    )
    expect(system.requests).toEqual([])
    expect(system.queue.events).toEqual(['complete job-1'])
    expect(system.lastRun).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('it was given up: 10 times'),
    })
  })

  test('keeps its claim while it works', async () => {
    const system = new MemorySystem()
    system.listing = { between: TestClock.adjust('40 seconds') }
    await inWorld(system, Effect.zipRight(waiting(system, pbsA), tick))
    expect(system.queue.events.filter((event) => event === 'heartbeat job-1').length).toBeGreaterThan(1)
    expect(system.queue.events.at(-1)).toBe('complete job-1')
  })

  test('that meets a bug gives the job back, and ends it at the last try', async () => {
    const system = new MemorySystem()
    system.frames = () => {
      throw new Error('a bug')
    }
    await inWorld(system, Effect.zipRight(waiting(system, pbsA), Effect.all([tick, tick, tick])))
    expect(system.queue.events).toEqual(['retry job-1', 'retry job-1', 'complete job-1'])
    expect(system.lastRun).toMatchObject({ status: 'failed', error: "internal error; see the worker's log" })
  })

  test('starts its job again at once when a crash of the database has lost the change set', async () => {
    const system = new MemorySystem()
    let passed = 0
    system.listing = { between: Effect.sync(() => (++passed === 3 ? system.log.open.clear() : undefined)) }
    const worked = await inWorld(system, Effect.zipRight(waiting(system, pbsA), Effect.all([tick, tick, tick])))
    expect(worked).toEqual([true, true, false])
    expect(system.queue.events).toEqual(['release job-1', 'complete job-1'])
    expect(system.lastRun).toMatchObject({ status: 'completed', error: '' })
  })

  test('interrupted drops the open scope and gives the job back without counting the try', async () => {
    const system = new MemorySystem()
    const claimed = await inWorld(
      system,
      Effect.gen(function* () {
        yield* waiting(system, pbsA)
        const reached = yield* Effect.makeLatch()
        system.listing = {
          failure: ({ resource }) => (resource === 'snapshots' ? [Effect.zipRight(reached.open, Effect.never)] : null),
        }
        const working = yield* Effect.fork(tick)
        yield* reached.await
        yield* Fiber.interrupt(working)
        return yield* system.queue.claim
      }),
    )
    expect(system.queue.events).toEqual(['release job-1'])
    expect(Option.getOrThrow(claimed)).toMatchObject({ id: 'job-1', attempt: 1 })
    expect(system.log.open.size).toBe(0)
    expect([system.world.all('datastore').length, system.world.all('snapshot').length]).toEqual([1, 0])
  })
})

describe('a worker', () => {
  test('empties the queue, asks again after a pause, and stops when told', async () => {
    const system = new MemorySystem()
    const statuses = await inWorld(
      system,
      Effect.gen(function* () {
        const { id } = yield* waiting(system, pbsA, pbsB)
        const working = yield* Effect.fork(runWorker({ concurrency: 2, pollMillis: 1000 }))
        yield* TestClock.adjust('1 seconds')
        const first = system.record(id).run.status
        const second = yield* startRun({ resources: ['datastores'], servers: null, trigger: 'manual', user: 'admin' })
        const before = system.record(second.id).run.status
        yield* TestClock.adjust('1 seconds')
        yield* Fiber.interrupt(working)
        return [first, before, system.record(second.id).run.status]
      }),
    )
    expect(statuses).toEqual(['completed', 'pending', 'completed'])
  })

  test('ends a run whose jobs are lost, and stops one that is cancelled although its source is silent', async () => {
    const system = new MemorySystem()
    const statuses = await inWorld(
      system,
      Effect.gen(function* () {
        const lost = yield* waiting(system, pbsA)
        system.queue.jobs.length = 0
        system.frames = () => [Effect.never]
        const working = yield* Effect.fork(runWorker({ concurrency: 1, pollMillis: 60_000 }))
        yield* TestClock.adjust('7 minutes')
        const silent = yield* startRun({ resources: ['datastores'], servers: null, trigger: 'manual', user: 'admin' })
        yield* TestClock.adjust('61 seconds')
        const before = [lost, silent].map(({ id }) => system.record(id).run.status)
        yield* cancelRun({ id: silent.id })
        yield* TestClock.adjust('1 seconds')
        yield* Fiber.interrupt(working)
        return [...before, system.record(silent.id).run.status]
      }),
    )
    expect(statuses).toEqual(['failed', 'running', 'cancelled'])
  })

  const drips = ['drip-1', 'drip-2', 'drip-3', 'drip-4']

  /** Four servers that never end their answers, and one that is well: a run of each, in this order. */
  const fleetThatDrips = (system: MemorySystem) => {
    const fleet = [...drips, 'pbs-a'].map((name, n): FleetServer => ({ ...pbsA, name, endpointId: n + 1 }))
    system.fleet = fleet
    for (const { name, endpointId } of fleet) system.world.connect(name, endpointId)
    const frames = system.frames
    system.frames = (request) =>
      request.servers?.some((name) => drips.includes(name)) === true ? [Effect.never] : frames(request)
    return Effect.forEach(fleet, ({ name }) =>
      startRun({ resources: ['datastores', 'snapshots'], servers: [name], trigger: 'manual', user: 'admin' }),
    )
  }

  test('reads a healthy server while slow ones hold all its places', async () => {
    const system = new MemorySystem()
    system.set({ sync_interval_minutes: 0 })
    const statuses = await inWorld(
      system,
      Effect.gen(function* () {
        const runs = yield* fleetThatDrips(system)
        const working = yield* Effect.fork(runWorker({ concurrency: 4, pollMillis: 10_000 }))
        yield* TestClock.adjust('2 minutes')
        const all = runs.map(({ id }) => system.record(id).run.status)
        yield* Fiber.interrupt(working)
        return all
      }),
    )
    expect(statuses).toEqual(['running', 'running', 'running', 'running', 'completed'])
  })

  test('ends a job that takes too long, and keeps a place for others when slow servers come again', async () => {
    const system = new MemorySystem()
    system.set({ sync_interval_minutes: 0 })
    const statuses = await inWorld(
      system,
      Effect.gen(function* () {
        const runs = yield* fleetThatDrips(system)
        const working = yield* Effect.fork(
          runWorker({ concurrency: 4, pollMillis: 10_000, jobTimeLimit: Duration.minutes(2) }),
        )
        yield* TestClock.adjust('130 seconds')
        const ended = runs.map(({ id }) => system.record(id).run)
        const again = yield* Effect.forEach(drips, (name) =>
          startRun({ resources: ['datastores'], servers: [name], trigger: 'manual', user: 'admin' }),
        )
        yield* TestClock.adjust('20 seconds')
        const second = again.map(({ id }) => system.record(id).run.status)
        yield* Fiber.interrupt(working)
        return { ended: ended.map(({ status }) => status), error: ended[0]?.error, second }
      }),
    )
    expect(statuses).toEqual({
      ended: ['failed', 'failed', 'failed', 'failed', 'completed'],
      error:
        'the job of drip-1 was ended after 2m: scopes that had not landed by then were not read; look for a slow datastore, or raise --job-time-limit',
      second: ['running', 'running', 'running', 'pending'],
    })
  })

  test('removes what is kept no longer, and goes on with it every hour', async () => {
    const system = new MemorySystem()
    const day = 86_400_000
    system.set({ sync_interval_minutes: 0, changelog_retention_days: 1 })
    system.retention.records.changes = [0, 0.5 * day, 2 * day - 30 * 60_000]
    const left = await inWorld(
      system,
      Effect.gen(function* () {
        yield* TestClock.setTime(2 * day - 60_000)
        const working = yield* Effect.fork(runWorker({ concurrency: 1, pollMillis: 3_600_000 }))
        yield* TestClock.adjust('1 minutes')
        const first = system.retention.records.changes.length
        yield* TestClock.adjust('1 hours')
        yield* Fiber.interrupt(working)
        return [first, system.retention.turn]
      }),
    )
    expect(left).toEqual([1, 2])
  })

  test('keeps the schedule: an interval is followed by another run, and the next by the next', async () => {
    const system = new MemorySystem()
    system.set({ sync_interval_minutes: 1 })
    const counts = await inWorld(
      system,
      Effect.gen(function* () {
        const working = yield* Effect.fork(runWorker({ concurrency: 1 }))
        const seen: Array<number> = []
        for (let interval = 0; interval < 3; interval++) {
          yield* TestClock.adjust('75 seconds')
          seen.push(system.runs.size)
        }
        yield* Fiber.interrupt(working)
        return seen
      }),
    )
    expect(counts).toEqual([1, 2, 3])
    expect(system.lastRun).toMatchObject({ trigger: 'schedule', status: 'completed' })
  })
})
