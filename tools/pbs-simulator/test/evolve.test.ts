import { describe, expect, test } from 'vitest'
import {
  addNamespace,
  addSnapshot,
  countOf,
  countSnapshots,
  evolve,
  expandGroup,
  findGroup,
  findNamespace,
  findStore,
  finishedSnapshot,
  generateState,
  type PbsState,
  pruneGroup,
  removeGroup,
  removeNamespace,
  removeStore,
  setMaintenance,
  snapshotsOf,
} from '../src/index.ts'

const now = 1_780_358_400
const make = (seed = 1): PbsState => generateState({ name: 'pbs-a', seed, profile: '4.2', snapshots: 600, now })

const keysOf = (state: PbsState): Set<string> =>
  new Set(
    state.datastores.flatMap((store) =>
      store.namespaces.flatMap(({ path, groups }) =>
        groups.flatMap((group) =>
          [...snapshotsOf(group)].map(
            ({ backupTime }) => `${store.name}:${path}:${group.backupType}/${group.backupId}/${backupTime}`,
          ),
        ),
      ),
    ),
  )

describe('generation', () => {
  test('equal options give equal states, another seed gives another', () => {
    expect(make()).toEqual(make())
    expect(make(2)).not.toEqual(make())
  })

  test.each([100, 600, 5000])('%i snapshots are exactly so many, each with its own key', (snapshots) => {
    const state = generateState({ name: 'pbs-a', seed: 5, profile: '3.2', snapshots, now, unreadableStores: true })
    expect(countSnapshots(state)).toBe(snapshots)
    const all = state.datastores.flatMap(({ namespaces }) => namespaces.flatMap(({ groups }) => groups))
    expect(keysOf(state).size).toBe(all.reduce((sum, group) => sum + countOf(group), 0))
  })

  test('no snapshot is from the future', () => {
    for (const { namespaces } of make().datastores)
      for (const { groups } of namespaces)
        for (const group of groups)
          for (const { backupTime } of snapshotsOf(group)) expect(backupTime).toBeLessThanOrEqual(now)
  })
})

describe('a step of time', () => {
  test('is deterministic', () => {
    const [first, second] = [make(), make()]
    expect(evolve(first, { seed: 4 })).toEqual(evolve(second, { seed: 4 }))
    expect(first).toEqual(second)
  })

  test('adds and prunes what it says, and leaves the other facts as they were', () => {
    const state = make()
    const before = keysOf(state)
    const { added, removed } = evolve(state)
    const after = keysOf(state)
    expect(added).toBeGreaterThan(10)
    expect([...after].filter((key) => !before.has(key))).toHaveLength(added)
    expect([...before].filter((key) => !after.has(key))).toHaveLength(removed)
  })

  test('without prunes only adds', () => {
    const state = make()
    const before = countSnapshots(state)
    const { added, removed } = evolve(state, { prunes: 0 })
    expect([removed, countSnapshots(state)]).toEqual([0, before + added])
  })

  test('of a minute brings one manual backup and a job run', () => {
    const state = make()
    const { added, jobsRun } = evolve(state, { now: now + 60 })
    expect(added).toBeGreaterThanOrEqual(1)
    expect(jobsRun).toBeGreaterThanOrEqual(1)
  })

  test('may be told to do nothing', () => {
    const state = make()
    const before = keysOf(state)
    expect(evolve(state, { backups: 0, jobRuns: 0 })).toEqual({ added: 0, removed: 0, jobsRun: 0 })
    expect(keysOf(state)).toEqual(before)
  })

  test('verifies what was not verified, and nothing twice', () => {
    const state = make()
    const verifications = () =>
      state.datastores.flatMap(({ namespaces }) =>
        namespaces.flatMap(({ groups }) =>
          groups.flatMap((group) => [...snapshotsOf(group)].map((s) => s.verification)),
        ),
      )
    const before = verifications()
    evolve(state, { backups: 0, verify: true })
    const after = verifications()
    const changed = after.filter((verification, index) => verification?.upid !== before[index]?.upid)
    expect(changed.length).toBeGreaterThan(0)
    for (const [index, verification] of before.entries())
      if (verification !== null) expect(after[index]).toEqual(verification)
  })

  test('leaves stores in maintenance alone', () => {
    const state = make()
    const archive = structuredClone(findStore(state, 'archive'))
    evolve(state)
    expect(findStore(state, 'archive')).toEqual(archive)
  })
})

describe('explicit changes', () => {
  const address = { store: 'tank', ns: 'site-a', backupType: 'vm', backupId: '100' }

  test('removing a namespace takes what is below it', () => {
    const state = make()
    removeNamespace(state, 'tank', 'site-a')
    expect(findStore(state, 'tank').namespaces.map(({ path }) => path)).not.toContain('site-a/lab')
    expect(() => removeNamespace(state, 'tank', '')).toThrow(RangeError)
    expect(() => removeNamespace(state, 'tank', 'site-a')).toThrow("has no namespace 'site-a' in 'tank'")
  })

  test('removing a store', () => {
    const state = make()
    removeStore(state, 'vault')
    expect(state.datastores.map(({ name }) => name)).toEqual(['tank', 'archive', 'fresh'])
  })

  test('adding a snapshot to a new group in a new namespace', () => {
    const state = make()
    addNamespace(state, 'fresh', 'a/b')
    const at = { ...address, store: 'fresh', ns: 'a/b' }
    addSnapshot(state, at, finishedSnapshot(now))
    expect(findNamespace(state, 'fresh', 'a').groups).toEqual([])
    expect([...snapshotsOf(findGroup(state, at))]).toEqual([finishedSnapshot(now)])
    removeGroup(state, at)
    expect(() => findGroup(state, at)).toThrow(RangeError)
  })

  test('pruning keeps the newest, of a formula and of explicit snapshots', () => {
    const group = findGroup(make(), address)
    const times = [...snapshotsOf(group)].map(({ backupTime }) => backupTime)
    group.snapshots.push(finishedSnapshot(1), finishedSnapshot(now))
    expect(pruneGroup(group, 3)).toBe(4)
    expect([...snapshotsOf(group)].map(({ backupTime }) => backupTime)).toEqual([...times.slice(-2), now])
    expect(pruneGroup(group, 3)).toBe(0)
  })

  test('an expanded group has the same snapshots, now one by one', () => {
    const group = findGroup(make(), address)
    const before = [...snapshotsOf(group)]
    expect(expandGroup(group)).toEqual(before)
    expect([...snapshotsOf(group)]).toEqual(before)
  })

  test('maintenance begins and ends', () => {
    const state = make()
    setMaintenance(state, 'tank', 'offline', 'moving')
    expect(findStore(state, 'tank').maintenance).toEqual({ mode: 'offline', message: 'moving' })
    setMaintenance(state, 'tank', null)
    expect(findStore(state, 'tank').maintenance).toBeNull()
  })
})
