import { resources, type Scope } from '@netbox-pbs/core'
import { Effect, TestClock, TestContext } from 'effect'
import { describe, expect, test } from 'vitest'
import { type FleetServer, failedFrame } from './memory/fleet.ts'
import { MemorySystem, run } from './memory/system.ts'

const fleetOf = (groups: Readonly<Record<string, ReadonlyArray<number>>>): FleetServer => ({
  name: 'pbs-a',
  endpointId: 1,
  datastores: { tank: { namespaces: { '': groups, 'site-a': { 'host/db': [5, 6] } } } },
})

const before = { 'vm/1': [1, 2, 3], 'vm/2': [4] }

/** A system with a fleet that was read in full. */
const readInFull = async (): Promise<MemorySystem> => {
  const system = new MemorySystem()
  system.fleet = [fleetOf(before)]
  await run(system.sync(resources))
  system.requests.length = 0
  return system
}

const light = (system: MemorySystem) => run(system.sync(resources, null, 'light'))

/** How many groups the request for snapshots named as known. */
const named = (system: MemorySystem): number =>
  system.requests.filter(({ resource }) => resource === 'snapshots').at(-1)?.known_groups?.length ?? 0

const guests = (system: MemorySystem) =>
  system.world.all('snapshot').map(({ facts, presence }) => `${facts['backup_id']} ${presence}`)

const fullAt = (system: MemorySystem, namespace: string) =>
  system.world.scopes.get(
    system.world.placeOf({ resource: 'snapshots', server: 'pbs-a', datastore: 'tank', namespace }),
  )?.fullAt

describe('a light run', () => {
  test('names the groups that main has, and writes nothing when none has changed', async () => {
    const system = await readInFull()
    const listed = fullAt(system, '')
    system.world.writes = 0
    const { run: ended, ends } = await light(system)
    expect(named(system)).toBe(3)
    const { rows_read, counts } = system.record(1).run
    const unchanged = counts.created
    expect(ended).toMatchObject({ mode: 'light', status: 'completed', rows_read, counts: { unchanged, updated: 0 } })
    expect([system.world.writes, ends]).toEqual([0, []])
    expect(fullAt(system, '')).toBe(listed)
  })

  test('reads the tasks first, so that it knows what they have changed', async () => {
    const system = await readInFull()
    await light(system)
    expect(system.requests.map(({ resource }) => resource)).toEqual([
      'servers',
      'tasks',
      'datastores',
      'snapshots',
      'jobs',
    ])
  })

  test('reads a group whose row has changed, and leaves the others as they are', async () => {
    const system = await readInFull()
    system.fleet = [fleetOf({ ...before, 'vm/1': [2, 3, 9], 'vm/3': [7] })]
    const { run: ended } = await light(system)
    expect(ended.counts).toMatchObject({ created: 2, deleted: 1, held_back: 0 })
    expect(guests(system).toSorted()).toEqual([
      '1 listed',
      '1 listed',
      '1 listed',
      '2 listed',
      '3 listed',
      'db listed',
      'db listed',
    ])
  })

  test('misses a group that two lists lack', async () => {
    const system = await readInFull()
    system.fleet = [fleetOf({ 'vm/1': [1, 2, 3] })]
    await light(system)
    expect(guests(system)).toContain('2 absent')
    await light(system)
    expect(guests(system).filter((guest) => guest.startsWith('2'))).toEqual([])
  })

  test.each([
    ['when every run is to be full', (system: MemorySystem) => system.set({ full_sync_interval_hours: 0 })],
    [
      'of what was last listed in full too long ago',
      (system: MemorySystem) => {
        for (const scope of system.world.scopes.values()) scope.fullAt = '2020-01-01T00:00:00Z'
      },
    ],
  ])('reads everything %s', async (_, change) => {
    const system = await readInFull()
    change(system)
    await light(system)
    expect(named(system)).toBe(0)
    expect(Date.parse(fullAt(system, '') ?? '')).toBeGreaterThan(Date.parse('2026-01-01'))
  })

  test('reads everything when it does not read the tasks', async () => {
    const system = await readInFull()
    await run(system.sync(['datastores', 'snapshots'], null, 'light'))
    expect(named(system)).toBe(0)
  })

  test('reads everything when the tasks cannot be read', async () => {
    const system = await readInFull()
    system.listing = {
      failure: (scope) => (scope.resource === 'tasks' ? [failedFrame(scope, 'forbidden')] : null),
    }
    await light(system)
    expect(named(system)).toBe(0)
    system.listing = {}
    await light(system)
    expect(named(system)).toBe(3)
  })

  test.each([
    ['of other users are hidden', { hides: ({ resource }: Scope) => resource === 'tasks' }],
    ['could not all be read', { leftOut: ({ resource }: Scope) => (resource === 'tasks' ? 1 : 0) }],
  ])('reads everything when tasks %s', async (_, listing) => {
    const system = await readInFull()
    system.listing = listing
    await light(system)
    expect(named(system)).toBe(0)
    expect(system.requests.map(({ resource }) => resource)).toContain('snapshots')
    system.listing = {}
    await light(system)
    expect(named(system)).toBe(3)
  })

  test('reads everything of a namespace whose changes wait in a branch', async () => {
    const system = await readInFull()
    system.set({ branching_enabled: true, branch_approval_required: true })
    system.fleet = [fleetOf({ ...before, 'vm/2': [4, 8] })]
    const first = await light(system)
    expect([named(system), first.run.staged.created]).toEqual([3, 1])
    const second = await light(system)
    expect([named(system), second.run.staged.created]).toEqual([1, 1])
    expect(second.run.counts).toMatchObject({ created: 0, updated: 0, deleted: 0 })
  })

  test('fails a namespace of which the source names a group that main does not have', async () => {
    const system = await readInFull()
    const scope = { resource: 'snapshots', server: 'pbs-a', datastore: 'tank', namespace: '' } as const
    system.frames = ({ resource }) =>
      resource === 'snapshots'
        ? [
            { _tag: 'scope', scope },
            { _tag: 'unchanged_group', server: 'pbs-a', listDigest: 'of another fleet' },
            { _tag: 'complete', scope, count: 1, visibility: null },
            { _tag: 'end' },
          ]
        : [{ _tag: 'end' }]
    await run(system.sync(['snapshots'], null, 'light'))
    expect(guests(system).filter((guest) => guest.endsWith('listed'))).toHaveLength(6)
    expect(system.lastRun.outcomes.failed).toBeGreaterThan(0)
  })
})

describe('a full run', () => {
  /** What the last request for snapshots named: groups that need not be read, and frames that need not be sent. */
  const knownTo = (system: MemorySystem) => {
    const request = system.requests.filter(({ resource }) => resource === 'snapshots').at(-1)
    return [request?.known_groups?.length ?? 0, request?.known_frames?.length ?? 0]
  }
  const full = (system: MemorySystem) => run(system.sync(resources))
  /** The same, an hour after the first run. */
  const later = (system: MemorySystem) =>
    run(
      Effect.zipRight(TestClock.adjust('1 hour'), system.sync(resources)).pipe(Effect.provide(TestContext.TestContext)),
    )

  test('names the frames that main has, writes nothing when none has changed, and counts as a full list', async () => {
    const system = await readInFull()
    const listed = fullAt(system, '')
    system.world.writes = 0
    const { run: ended } = await later(system)
    expect(knownTo(system)).toEqual([0, 3])
    const { counts } = system.record(1).run
    expect(ended).toMatchObject({ status: 'completed', counts: { unchanged: counts.created, updated: 0, deleted: 0 } })
    expect(system.world.writes).toBe(0)
    expect(fullAt(system, '')).not.toBe(listed)
  })

  test('reads a frame that is another one', async () => {
    const system = await readInFull()
    system.fleet = [fleetOf({ ...before, 'vm/1': [2, 3, 9] })]
    const { run: ended } = await full(system)
    expect(ended.counts).toMatchObject({ created: 1, deleted: 1, held_back: 0 })
  })

  test('leaves a group as it is that a user edits while it is read, and reads it in the next run', async () => {
    const system = await readInFull()
    const listed = fullAt(system, '')
    const { frames } = system
    system.frames = function* (request) {
      // The request has named the frames already.
      if (request.resource === 'snapshots')
        for (const group of system.world.where('group', { backup_id: '1' })) group.digest = null
      yield* frames(request)
    }
    const { run: ended } = await later(system)
    expect(ended).toMatchObject({ status: 'completed', counts: { updated: 0, deleted: 0 } })
    expect(fullAt(system, '')).toBe(listed)
    system.frames = frames
    await later(system)
    expect(knownTo(system)).toEqual([0, 2])
    expect(fullAt(system, '')).not.toBe(listed)
  })
})
