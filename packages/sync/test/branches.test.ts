import { StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Logger, LogLevel, Option } from 'effect'
import { expect, test } from 'vitest'
import type { FleetServer, Item } from './memory/fleet.ts'
import { type MemorySystem, run, synced } from './memory/system.ts'

const pbsA = (hours: ReadonlyArray<number>): FleetServer => ({
  name: 'pbs-a',
  endpointId: 1,
  datastores: { tank: { namespaces: { '': { 'vm/101': hours, 'vm/102': [1] } } } },
})
const hoursOf = (system: MemorySystem) =>
  system.world
    .where('snapshot', { backup_id: '101' })
    .map(({ facts }) => new Date(String(facts['backup_time'])).getUTCHours())
const names = (system: MemorySystem) => system.branches.all.map(({ branch }) => [branch.name, branch.status])

/** A system that has landed its fleet, works with branches from now on, and whose fleet has moved. */
const branching = async (change: Partial<MemorySystem['world']['settings']> = {}) => {
  const system = await synced(pbsA([1, 2]))
  system.set({ branching_enabled: true, ...change })
  system.fleet = [pbsA([2, 3])]
  return system
}
const resources = ['datastores', 'snapshots', 'jobs'] as const

test('a run stages what it finds in a branch of its own and merges it when nothing stands against it', async () => {
  const system = await branching()
  const { run: ended, ends } = await run(system.sync(resources))
  expect(ended.status).toBe('completed')
  expect(ends).toEqual(['snapshots of pbs-a/tank: staged'])
  expect(names(system)).toEqual([[expect.stringMatching(/^pbs-sync-2-\d{8}T\d{6}Z$/), 'merged']])
  expect(hoursOf(system)).toEqual([2, 3])
})

test('a server that is new lands at once, so that the same run stages what lies below it', async () => {
  const system = await branching()
  system.fleet = [pbsA([1, 2]), { ...pbsA([5]), name: 'pbs-b', endpointId: 2 }]
  const atEnd: Array<ReadonlyArray<unknown>> = []
  const frames = system.frames
  system.frames = (request) => {
    atEnd.push([request.resource, system.world.where('server', { name: 'pbs-b' }).length])
    return frames(request)
  }
  const { ends } = await run(system.sync())
  expect(ends.filter((end) => !end.endsWith('unchanged')).toSorted()).toEqual([
    'datastores of pbs-b: staged',
    'namespaces of pbs-b/tank: staged',
    'servers: landed',
    'snapshots of pbs-b/tank: staged',
  ])
  expect(atEnd[0]).toEqual(['servers', 0])
  expect(names(system).map(([, status]) => status)).toEqual(['merged'])
  expect(system.world.where('snapshot', { server: system.world.serverId('pbs-b') })).toHaveLength(2)
})

test('of a server that is known a branch holds what changes', async () => {
  const system = await branching()
  system.fleet = [{ ...pbsA([1, 2]), endpointId: 9 }]
  const { ends } = await run(system.sync(['servers']))
  expect(ends).toEqual(['servers: staged'])
})

test('a run without a change closes its branch', async () => {
  const system = await branching()
  system.fleet = [pbsA([1, 2])]
  system.world.writes = 0
  await run(system.sync(resources))
  expect(names(system).map(([, status]) => status)).toEqual(['no_changes'])
  expect(system.world.writes).toBe(0)
})

test.each([
  ['abort', 1, 'in_review', [1, 2]],
  ['overwrite', 1, 'merged', [2, 3]],
  ['overwrite', 2, 'in_review', [1, 2]],
] as const)(
  'with conflicts and the policy %s, and %i of which one may be overridden, it is %s',
  async (policy, conflicts, status, hours) => {
    const system = await branching({ branch_on_conflict: policy })
    const create = system.branches.all
    const sync = system.sync(resources)
    // Main moves while the run stages: the comparison at the end is the first to see it.
    system.frames = ((frames) => (request) => {
      for (const branch of create) Object.assign(branch, { withMain: conflicts, overridable: 1 })
      return frames(request)
    })(system.frames)
    await run(sync)
    expect(names(system).map(([, end]) => end)).toEqual([status])
    expect(hoursOf(system)).toEqual(hours)
  },
)

test('a run is over when its branch is, not before', async () => {
  const system = await branching()
  const { land } = system.branches
  let whileMerging: unknown
  system.branches.land = (staged) => {
    whileMerging = system.lastRun.status
    land(staged)
  }
  const { run: ended } = await run(system.sync(resources))
  expect([whileMerging, ended.status]).toEqual(['running', 'completed'])
})

test.each([
  ['a database that refuses', 'the database refused; check the rights of its user'],
  ['a bug', "internal error; see the worker's log"],
])('changes that cannot be merged for %s wait in their branch, and the run says so', async (how, why) => {
  const system = await branching()
  const { frames } = system
  system.frames = (request) => {
    if (how !== 'a bug')
      system.settings.failure = Option.some(new StoreFailed({ reason: 'refused', operation: 'reading' }))
    return frames(request)
  }
  if (how === 'a bug') {
    system.branches.land = () => {
      throw new Error('a bug')
    }
  }
  const { run: ended } = await run(system.sync(['snapshots']).pipe(Logger.withMinimumLogLevel(LogLevel.None)))
  expect(ended.error).toContain(why)
  expect(ended.error).toContain('its staged changes wait in their branch')
  expect(ended.status).toBe('incomplete')
  expect(names(system).map(([, status]) => status)).toEqual(['ready'])
})

test('a branch that the database does not let settle is tried again, without reading again, and the run waits for it', async () => {
  const system = await branching()
  const { frames } = system
  let failing: Option.Option<StoreFailed> = Option.some(
    new StoreFailed({ reason: 'unavailable', operation: 'reading' }),
  )
  system.frames = (request) => {
    system.settings.failure = failing
    failing = Option.none()
    return frames(request)
  }
  const states: Array<unknown> = []
  let read = 0
  system.queue.onRetry = () => {
    read = system.requests.length
    states.push(system.lastRun.status, ...names(system).map(([, status]) => status))
    system.settings.failure = Option.none()
  }
  const { run: ended } = await run(system.sync(['snapshots']))
  expect(states).toEqual(['running', 'ready'])
  expect(system.requests.length, 'nothing is read again').toBe(read)
  expect(ended).toMatchObject({ status: 'completed', error: '' })
  expect(names(system).map(([, status]) => status)).toEqual(['merged'])
})

test('while a review is open later runs refresh it, and close it when nothing of it is left', async () => {
  const system = await branching()
  const frames = system.frames
  system.frames = (request) => {
    const [first] = system.branches.all
    if (first !== undefined) first.withMain = 1
    return frames(request)
  }
  await run(system.sync(resources))
  system.fleet = [pbsA([3, 4])]
  await run(system.sync(resources))
  expect(names(system).map(([, status]) => status)).toEqual(['in_review', 'no_changes'])
  expect(system.branches.all[0]?.changes).toBe(4)
  system.fleet = [pbsA([1, 2])]
  system.frames = frames
  await run(system.sync(resources))
  expect(names(system).map(([, status]) => status)).toEqual(['superseded', 'no_changes', 'no_changes'])
})

test('a run whose branch was closed under it says so, and writes nothing', async () => {
  const system = await branching()
  const frames = system.frames
  system.frames = (request) => {
    const [branch] = system.branches.all
    if (branch !== undefined) branch.branch = { ...branch.branch, status: 'closed' }
    return frames(request)
  }
  const { run: ended } = await run(system.sync(resources))
  expect(ended).toMatchObject({ status: 'failed', error: expect.stringContaining('branch 1 is closed') })
  expect(hoursOf(system)).toEqual([1, 2])
})

/** Notes the groups that are parsed, and keeps a branch from its merge while there is one. */
const noting = (system: MemorySystem): Array<string> => {
  const parsed: Array<string> = []
  const { frames } = system
  system.frames = (request) => {
    const [first] = system.branches.all
    if (first !== undefined) first.withMain = 1
    return [...frames(request)].map((item) =>
      !Effect.isEffect(item) && item._tag === 'group'
        ? { ...item, parse: Effect.tap(item.parse, ({ facts }) => void parsed.push(facts.backup_id)) }
        : item,
    )
  }
  return parsed
}

test('while a review is open a group whose changes wait is read again only when it changes', async () => {
  const system = await branching()
  const parsed = noting(system)
  const first = await run(system.sync(['snapshots']))
  expect(parsed.splice(0)).toEqual(['101'])
  const again = await run(system.sync(['snapshots']))
  expect(parsed.splice(0)).toEqual([])
  expect(again.ends).toEqual(first.ends)
  expect(again.run.staged).toEqual({ created: 1, updated: 0, deleted: 1 })
  expect(again.run.staged).toEqual(first.run.staged)
  expect(system.branches.all[0]?.changes).toBe(2)

  // The next run finds it changed, another has it back, and a user's edit in main has it read again.
  system.fleet = [pbsA([2, 3, 4])]
  await run(system.sync(['snapshots']))
  expect(parsed.splice(0)).toEqual(['101'])
  expect(system.branches.all[0]?.changes).toBe(3)
  const [group] = system.world.where('group', { backup_id: '101' })
  const facts = {
    ...system.world.where('snapshot', { backup_id: '101' })[0]?.facts,
    backup_time: '2026-05-01T09:00:00Z',
  }
  system.world.insert('snapshot', { ...facts }, 'manual')
  Object.assign(group ?? {}, { digest: null })
  await run(system.sync(['snapshots']))
  expect(parsed.splice(0)).toEqual(['101'])
  expect(system.branches.all[0]?.changes).toBe(3)
})

test('the guard counts deletions that wait in a branch, read again or not', async () => {
  const system = await branching()
  noting(system)
  system.set({ guard_min_rows: 0, guard_max_share: 0.1 })
  const ends = [await run(system.sync(['snapshots'])), await run(system.sync(['snapshots']))]
  expect(ends.map(({ run: { status } }) => status)).toEqual([ends[0]?.run.status, ends[0]?.run.status])
  const [waiting] = [...(system.branches.all[0]?.scopes.values() ?? [])]
  expect(waiting?.landing).toMatchObject({ held: 'too_many', runId: 3 })
})

test('a branch that ends while what waits in it is read has the job begin again', async () => {
  const system = await branching()
  const parsed = noting(system)
  await run(system.sync(['snapshots']))
  parsed.length = 0
  const { frames } = system
  const close = Effect.sync(() => {
    const [branch] = system.branches.all
    if (branch === undefined) return
    branch.branch = { ...branch.branch, status: 'closed' }
    branch.scopes.clear()
  })
  system.frames = (request) =>
    [...frames(request)].flatMap(
      (item): ReadonlyArray<Item> => (!Effect.isEffect(item) && item._tag === 'complete' ? [close, item] : [item]),
    )
  const { run: ended } = await run(system.sync(['snapshots']))
  expect(parsed).toEqual(['101'])
  expect(ended.status).toBe('completed')
  expect(names(system).map(([, status]) => status)).toEqual(['closed', 'merged'])
  expect(hoursOf(system)).toEqual([2, 3])
})
