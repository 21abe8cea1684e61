import type { Observations } from '@netbox-pbs/core'
import { Effect, TestClock, TestContext } from 'effect'
import { describe, expect, test } from 'vitest'
import { type FleetTask, failedFrame } from './memory/fleet.ts'
import { MemorySystem } from './memory/system.ts'

const hour = 3600
const day = 24 * hour
/** When the tests begin. */
const t0 = 1_780_000_000

class TaskWorld {
  readonly system = new MemorySystem()
  #timestamp = t0
  visibility = 'v1'

  constructor() {
    this.system.world.connect('pbs-a', 1)
  }

  /** A sync of the tasks that the server has now, after some time. */
  async sync(tasks: ReadonlyArray<FleetTask>, later = 0, failure = false) {
    this.#timestamp += later
    this.system.world.writes = 0
    this.system.fleet = [{ name: 'pbs-a', endpointId: 1, datastores: {}, tasks }]
    const down = { failure: (scope: Parameters<typeof failedFrame>[0]) => [failedFrame(scope, 'unreachable')] }
    this.system.listing = { visibility: this.visibility, ...(failure ? down : {}) }
    const now = this.#timestamp * 1000
    const record = await Effect.runPromise(
      TestClock.setTime(now).pipe(
        Effect.zipRight(this.system.sync(['tasks'])),
        Effect.provide(TestContext.TestContext),
      ),
    )
    return { status: record.run.status, counts: record.run.counts, since: this.system.requests.at(-1)?.since }
  }

  /** Main's tasks: the start of each, and how it ended. */
  get main(): Readonly<Record<string, string>> {
    const { world } = this.system
    const server = world.serverId('pbs-a')
    return Object.fromEntries(
      world.all('task').map(({ facts }) => {
        const observation = world.observed.get(
          `task ${JSON.stringify([server, facts['upid']])}`,
        ) as Observations<'task'>
        return [`${facts['upid']}`.slice('UPID:pbs-a:'.length), observation.outcome]
      }),
    )
  }
}

const ended = (start: number, end = start + 60): FleetTask => ({ start, end })

describe('the first sync', () => {
  test('asks for all within retention, and takes in nothing older', async () => {
    const world = new TaskWorld()
    const { since, counts, status } = await world.sync([ended(t0 - hour), ended(t0 - 2 * day), { start: t0 - 10 }])
    expect([since, status, counts.created]).toEqual([t0 - 90 * day, 'completed', 3])
    expect(world.main).toEqual({ [t0 - hour]: 'ok', [t0 - 2 * day]: 'ok', [t0 - 10]: 'running' })
  })

  test('asks for everything when all tasks are kept', async () => {
    const world = new TaskWorld()
    world.system.set({ task_retention_days: 0 })
    const { since } = await world.sync([ended(1000)])
    expect([since, world.main]).toEqual([undefined, { 1000: 'ok' }])
  })
})

describe('a later sync', () => {
  test('reads on from an hour before the newest start; without news it writes no task', async () => {
    const world = new TaskWorld()
    const tasks = [ended(t0 - 5 * hour), ended(t0 - 30)]
    await world.sync(tasks)
    const { since, counts } = await world.sync(tasks, hour)
    expect([since, world.system.world.writes]).toEqual([t0 - 30 - hour, 0])
    expect(counts).toEqual({ created: 0, updated: 0, deleted: 0, unchanged: 1, held_back: 0 })
  })

  test('sees a task end that ran while others came and went', async () => {
    const world = new TaskWorld()
    await world.sync([{ start: t0 - 3 * day }, ended(t0 - 30)])
    const { since } = await world.sync([ended(t0 - 3 * day, t0 + hour), ended(t0 - 30), ended(t0 + 20)], 2 * hour)
    expect(since).toBe(t0 - 3 * day)
    expect(world.main).toEqual({ [t0 - 3 * day]: 'ok', [t0 - 30]: 'ok', [t0 + 20]: 'ok' })
    expect((await world.sync([ended(t0 + 20)], hour)).since).toBe(t0 + 20 - hour)
  })

  test('after an outage brings all that the server still has', async () => {
    const world = new TaskWorld()
    await world.sync([ended(t0 - 30)])
    const missed = Array.from({ length: 60 }, (_, hours) => ended(t0 + hours * hour))
    expect((await world.sync([ended(t0 - 30), ...missed], 30 * hour, true)).status).toBe('failed')
    await world.sync([ended(t0 - 30), ...missed], 30 * hour)
    expect(Object.keys(world.main).length).toBe(61)
  })

  test('in batches keeps memory bounded', async () => {
    const world = new TaskWorld()
    await world.sync(Array.from({ length: 4100 }, (_, index) => ended(t0 - index)))
    expect([world.system.log.largestAppend, Object.keys(world.main).length]).toEqual([2000, 4100])
  })

  test('takes in no task again that retention has removed', async () => {
    const world = new TaskWorld()
    const start = t0 - 89 * day
    const old = ended(start + 1)
    await world.sync([old, { start }])
    for (const { id, facts } of world.system.world.all('task')) {
      if (`${facts['upid']}`.endsWith(`:${old.start}`)) world.system.world.remove('task', id)
    }
    // The one that still runs is asked for, and the old one comes with it.
    const { since } = await world.sync([old, { start }], 2 * day)
    expect([since, world.main]).toEqual([start, { [start]: 'running' }])
    world.visibility = 'v2'
    await world.sync([old, ended(start, t0 + day)], hour)
    expect(world.main).toEqual({ [start]: 'ok' })
  })
})

describe('a task that its server has forgotten', () => {
  test('ends as unknown when it ran, and stays when it had ended', async () => {
    const world = new TaskWorld()
    await world.sync([{ start: t0 - 30 }, ended(t0 - 20)])
    await world.sync([], hour)
    expect(world.main).toEqual({ [t0 - 30]: 'unknown', [t0 - 20]: 'ok' })
  })

  test('may still run where another visibility hides it; the next sync then looks at everything', async () => {
    const world = new TaskWorld()
    await world.sync([{ start: t0 - 30 }])
    world.visibility = 'v2'
    await world.sync([], hour)
    expect(world.main).toEqual({ [t0 - 30]: 'running' })
    const { since } = await world.sync([ended(t0 - 5 * day), { start: t0 - 30 }], hour)
    expect([since, world.main]).toEqual([t0 + 2 * hour - 90 * day, { [t0 - 30]: 'running', [t0 - 5 * day]: 'ok' }])
    expect((await world.sync([{ start: t0 - 30 }], hour)).since).toBe(t0 - 30 - hour)
  })
})

test('tasks land at once when other scopes of the run wait in a branch', async () => {
  const world = new TaskWorld()
  world.system.set({ branching_enabled: true })
  await world.sync([ended(t0 - 30)])
  expect(world.main).toEqual({ [t0 - 30]: 'ok' })
  expect(world.system.branches.all.map(({ branch }) => branch.status)).toEqual(['no_changes'])
})

test('a list with another count than it came with lands nothing', async () => {
  const world = new TaskWorld()
  world.system.frames = () => [
    { _tag: 'scope', scope: { resource: 'tasks', server: 'pbs-a' } },
    { _tag: 'complete', scope: { resource: 'tasks', server: 'pbs-a' }, count: 1, visibility: 'v1' },
    { _tag: 'end' },
  ]
  expect((await world.sync([])).status).toBe('failed')
  expect(world.system.log.landings).toEqual([])
})
