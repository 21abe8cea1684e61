import { followsSettings, type ServerTiming } from '@netbox-pbs/core'
import { Effect, TestClock, TestContext } from 'effect'
import { describe, expect, test } from 'vitest'
import { startDue } from '../src/index.ts'
import { MemorySystem } from './memory/system.ts'

const minutes = (count: number) => count * 60_000
const every = (sync_interval_minutes: number): ServerTiming => ({ ...followsSettings, sync_interval_minutes })

/**
 * Looks at these minutes as one that watches since the minute `watchedSince`, and gives which
 * servers each new run is for.
 */
const looks = (system: MemorySystem, at: ReadonlyArray<number>, watchedSince = 0) =>
  Effect.runPromise(
    Effect.gen(function* () {
      const before = system.runs.size
      for (const minute of at) {
        yield* TestClock.setTime(minutes(minute))
        yield* startDue({ watchedSince: minutes(watchedSince) })
      }
      return [...system.runs.values()].slice(before).map(({ run }) => run.servers)
    }).pipe(Effect.provide(system.layer), Effect.provide(TestContext.TestContext), Effect.orDie),
  )

const connected = (...servers: ReadonlyArray<readonly [string, ServerTiming]>): MemorySystem => {
  const system = new MemorySystem()
  for (const [index, [name, timing]] of servers.entries()) system.world.connect(name, index + 1).timing = timing
  return system
}

describe('the schedule of the settings', () => {
  test('starts a run of everything when its interval is over, counted from the first look', async () => {
    const system = new MemorySystem()
    expect(await looks(system, [0, 59.99])).toEqual([])
    expect(await looks(system, [60])).toEqual([null])
    expect(system.lastRun).toMatchObject({ trigger: 'schedule', user: '' })
    expect(system.queue.jobs.map(({ job }) => job)).toMatchObject([
      { serverId: null, resources: ['servers', 'datastores', 'snapshots', 'jobs', 'tasks'] },
    ])
  })

  test('starts none that another has started', async () => {
    const system = new MemorySystem()
    await looks(system, [0, 60])
    system.queue.jobs.length = 0
    expect(await looks(system, [60, 119])).toEqual([])
    expect(await looks(system, [120])).toEqual([null])
  })

  test('drops runs that find the gateway busy, and counts them on the next one', async () => {
    const system = new MemorySystem()
    expect(await looks(system, [0, 60, 120, 180])).toEqual([null])
    system.queue.jobs.length = 0
    expect(await looks(system, [240])).toEqual([null])
    expect(system.record(2).warnings).toMatchObject([{ code: 'schedule_dropped', count: 2 }])
  })

  test('is off with an interval of 0', async () => {
    const system = new MemorySystem()
    system.set({ sync_interval_minutes: 0 })
    expect(await looks(system, [0, 100_000])).toEqual([])
  })

  test('that is changed counts from the change, and starts nothing that the new one would have started before', async () => {
    const system = new MemorySystem()
    await looks(system, [0, 60])
    system.queue.jobs.length = 0
    system.set({ sync_schedule: '30 0 * * *' })
    expect(await looks(system, [90, 91])).toEqual([])
    expect(await looks(system, [24 * 60 + 30])).toEqual([null])
  })

  test('that was missed many times is caught up once', async () => {
    const system = new MemorySystem()
    await looks(system, [0])
    expect(await looks(system, [1000, 1001], 1000)).toEqual([null])
  })
})

describe('a server with a timing of its own', () => {
  const hourly = followsSettings

  test('has runs of its own, without the gateway, and is passed over by those of the settings', async () => {
    const system = connected(['pbs-a', hourly], ['pbs-b', every(15)])
    expect(await looks(system, [0, 15])).toEqual([['pbs-b']])
    expect(system.queue.jobs.map(({ job }) => [job.serverId, job.resources])).toEqual([
      [system.world.serverId('pbs-b'), ['datastores', 'snapshots', 'jobs', 'tasks']],
    ])
    system.fleet = [
      { name: 'pbs-a', endpointId: 1, datastores: {} },
      { name: 'pbs-b', endpointId: 2, datastores: {} },
    ]
    await Effect.runPromise(system.work)
    expect(await looks(system, [60])).toEqual([null, ['pbs-b']])
    system.queue.jobs.splice(1)
    await Effect.runPromise(system.work)
    expect(system.requests.slice(-3).map(({ servers }) => servers)).toEqual([['pbs-a'], ['pbs-a'], ['pbs-a']])
  })

  test('is synced by a person that asks for everything', async () => {
    const system = connected(['pbs-a', hourly], ['pbs-b', every(0)])
    const record = await Effect.runPromise(system.sync(['datastores']))
    expect(record.outcomes.map(({ scope }) => scope)).toMatchObject([{ server: 'pbs-a' }, { server: 'pbs-b' }])
  })

  test('of 0 minutes is never synced by schedule', async () => {
    const system = connected(['pbs-a', every(0)])
    system.set({ sync_interval_minutes: 0 })
    expect(await looks(system, [0, 100_000])).toEqual([])
  })

  test('by cron keeps to it', async () => {
    const system = connected(['pbs-a', { ...followsSettings, sync_schedule: '30 2 * * *', sync_interval_minutes: 1 }])
    system.set({ sync_interval_minutes: 0 })
    expect(await looks(system, [0, 149])).toEqual([])
    expect(await looks(system, [150])).toEqual([['pbs-a']])
  })

  test('that sleeps when a run is due has it when it wakes, once', async () => {
    const system = connected(['pbs-a', { ...every(60), sleep_hours: '01:30-05:00' }])
    system.set({ sync_interval_minutes: 0 })
    expect(await looks(system, [0, 60])).toEqual([['pbs-a']])
    system.queue.jobs.length = 0
    expect(await looks(system, [120, 180, 240, 299])).toEqual([])
    expect(await looks(system, [300, 301])).toEqual([['pbs-a']])
    system.queue.jobs.length = 0
    expect(await looks(system, [359])).toEqual([])
    expect(await looks(system, [360])).toEqual([['pbs-a']])
  })

  test('that is inventory only is left alone', async () => {
    const system = new MemorySystem()
    system.set({ sync_interval_minutes: 0 })
    const row = system.world.connect('pbs-a', 1)
    row.timing = every(5)
    row.facts = { ...row.facts, endpoint_state: 'none' }
    expect(await looks(system, [0, 5, 10])).toEqual([])
  })

  test('that is busy has its run dropped and counted, and delays no other', async () => {
    const system = connected(['pbs-a', every(10)], ['pbs-b', every(10)])
    system.set({ sync_interval_minutes: 0 })
    expect(await looks(system, [0, 10])).toEqual([['pbs-a'], ['pbs-b']])
    system.queue.jobs.splice(1)
    expect(await looks(system, [20])).toEqual([['pbs-b']])
    system.queue.jobs.length = 0
    expect(await looks(system, [30])).toEqual([['pbs-a'], ['pbs-b']])
    expect(system.record(4).warnings).toMatchObject([{ code: 'schedule_dropped', count: 1 }])
    expect(system.record(5).warnings).toEqual([])
  })

  test('follows the settings again when its own timing is removed, and starts counting again when it returns', async () => {
    const system = connected(['pbs-a', every(10)])
    system.set({ sync_interval_minutes: 0 })
    await looks(system, [0])
    const [row] = system.world.all('server')
    if (row === undefined) throw new Error('no server')
    row.timing = followsSettings
    expect(await looks(system, [10, 20])).toEqual([])
    row.timing = every(10)
    expect(await looks(system, [500, 509])).toEqual([])
    expect(await looks(system, [510])).toEqual([['pbs-a']])
  })
})
