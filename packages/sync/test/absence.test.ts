import { describe, expect, test } from 'vitest'
import { backupTime, type FleetDatastore, type FleetServer, failedFrame, groupFrame } from './memory/fleet.ts'
import { cut, MemorySystem, run, synced } from './memory/system.ts'

const hours = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, hour) => hour)
const pbsA = (namespaces: FleetDatastore['namespaces']): FleetServer => ({
  name: 'pbs-a',
  endpointId: 1,
  datastores: { tank: { namespaces } },
})

const snapshotsOf = (system: MemorySystem, backup_id: string) => system.world.where('snapshot', { backup_id })

describe('a row that a complete list lacks', () => {
  test('goes, and its group with the last of its snapshots', async () => {
    const system = await synced(pbsA({ '': { 'vm/1': hours(3), 'vm/2': hours(2) } }))
    system.fleet = [pbsA({ '': { 'vm/1': [0, 2] } })]
    const first = await run(system.sync())
    expect(first.run).toMatchObject({ status: 'completed', counts: { deleted: 1, held_back: 0 } })
    const record = await run(system.sync())
    expect(record.ends).toEqual(['snapshots of pbs-a/tank: landed'])
    expect(record.run).toMatchObject({ status: 'completed', counts: { deleted: 2, created: 0, updated: 0 } })
    expect(snapshotsOf(system, '1').map(({ facts }) => facts['backup_time'])).toEqual([backupTime(0), backupTime(2)])
    expect(system.world.all('group')).toHaveLength(1)
  })

  test('stays when it was made by a user', async () => {
    const system = await synced(pbsA({ '': { 'vm/1': hours(2) } }))
    const [listed] = system.world.all('snapshot')
    const [group] = system.world.all('group')
    system.world.insert('snapshot', { ...listed?.facts, backup_id: 'edited' }, 'manual')
    system.world.insert('group', { ...group?.facts, backup_id: 'edited' }, 'manual')
    system.world.insert('snapshot', { ...listed?.facts, backup_time: backupTime(99) }, 'manual')
    system.fleet = [pbsA({ '': {} })]
    await run(system.syncTwice())
    expect(system.world.all('snapshot').map(({ facts, presence }) => [facts['backup_id'], presence])).toEqual([
      ['edited', 'manual'],
      ['1', 'manual'],
    ])
    expect(system.world.all('group')).toHaveLength(2)
  })

  test('made by a user, once reported, can vanish', async () => {
    const system = await synced(pbsA({ '': { 'vm/1': [1] } }))
    const [listed] = system.world.all('snapshot')
    system.world.insert('snapshot', { ...listed?.facts, backup_time: backupTime(2) }, 'manual')
    system.fleet = [pbsA({ '': { 'vm/1': [1, 2] } })]
    await run(system.sync())
    expect(system.world.all('snapshot').map(({ presence }) => presence)).toEqual(['listed', 'listed'])
    system.fleet = [pbsA({ '': { 'vm/1': [1] } })]
    await run(system.sync())
    expect(system.world.all('snapshot')).toHaveLength(1)
  })
})

describe('nothing goes', () => {
  test.each(['unreachable', 'timeout', 'forbidden', 'unauthorized', 'protocol', 'tls_untrusted'] as const)(
    'when every scope fails as %s',
    async (code) => {
      const system = await synced(pbsA({ '': { 'vm/1': hours(3) } }))
      system.world.writes = 0
      system.listing = { failure: (scope) => [failedFrame(scope, code)] }
      const record = await run(system.sync(['datastores', 'snapshots', 'jobs']))
      expect(system.world.writes).toBe(0)
      expect(record.run).toMatchObject({ status: 'failed', counts: { deleted: 0 } })
      const lost = ['unreachable', 'timeout', 'tls_untrusted'].includes(code)
      expect(system.contacts.at(-1)).toBe(lost ? 'pbs-a unreachable' : 'pbs-a reachable')
    },
  )

  test.each(['maintenance', 'not_mounted'] as const)('when a store is out of service: %s', async (code) => {
    const system = await synced(pbsA({ '': { 'vm/1': hours(3) } }))
    system.world.writes = 0
    system.listing = { failure: (scope) => (scope.resource === 'namespaces' ? [failedFrame(scope, code)] : null) }
    const record = await run(system.sync())
    expect(record.run.status).toBe('completed')
    expect(record.ends).toContain(`namespaces of pbs-a/tank: skipped: ${code}`)
    expect(system.world.all('snapshot')).toHaveLength(3)
  })

  test('from a stream that is cut, and what had completed before it has landed', async () => {
    const system = await synced(pbsA({ '': { 'vm/1': hours(3) }, z: { 'vm/2': hours(3) } }))
    system.fleet = [pbsA({ '': {}, z: {} })]
    await run(system.sync())
    system.listing = {
      failure: (scope) => (scope.resource === 'snapshots' && scope.namespace === 'z' ? [cut(false)] : null),
    }
    const record = await run(system.sync())
    expect(record.ends).toEqual(['snapshots of pbs-a/tank: landed', 'snapshots of pbs-a/tank/z: failed: cut_off'])
    expect(record.run).toMatchObject({ status: 'incomplete', error: '' })
    expect(system.world.all('snapshot').map(({ facts }) => facts['namespace'])).toEqual(['z', 'z', 'z'])
  })

  test('from a stream without its end, though it did not fail', async () => {
    const system = await synced(pbsA({ '': { 'vm/1': hours(3) } }))
    system.frames = ({ resource }) =>
      resource === 'datastores' ? [{ _tag: 'scope', scope: { resource: 'datastores', server: 'pbs-a' } }] : []
    const record = await run(system.sync(['datastores']))
    expect(record.ends).toEqual(['datastores of pbs-a: failed: cut_off'])
    expect(system.world.all('datastore')).toHaveLength(1)
  })

  test('below scopes that were never opened, and the run names them', async () => {
    const system = await synced(pbsA({ '': { 'vm/1': hours(3) }, a: {} }))
    system.frames = () => [cut(false)]
    const record = await run(system.sync(['datastores', 'snapshots', 'jobs']))
    expect(record.ends).toEqual([
      'datastores of pbs-a: failed: cut_off',
      'namespaces of pbs-a/tank: failed: cut_off',
      ...['verify', 'prune', 'gc', 'sync', 'tape'].map((type) => `${type} jobs of pbs-a: failed: cut_off`),
    ])
    expect(record.run).toMatchObject({ status: 'failed', error: 'the stream was cut off' })
  })

  test('when the list ends with another count', async () => {
    const system = await synced(pbsA({ '': { 'vm/1': hours(3) } }))
    const scope = { resource: 'snapshots', server: 'pbs-a', datastore: 'tank', namespace: '' } as const
    for (const rows of [
      [groupFrame('pbs-a', 'tank', '', 'vm/1', [0])],
      [groupFrame('pbs-a', 'tank', '', 'vm/1', hours(3))],
    ]) {
      system.listing = {
        failure: ({ resource }) =>
          resource === 'snapshots' ? [...rows, { _tag: 'complete', scope, count: 2, visibility: null }] : null,
      }
      const record = await run(system.sync())
      expect(record.ends).toEqual(['snapshots of pbs-a/tank: failed: protocol'])
    }
    expect(system.world.all('snapshot')).toHaveLength(3)
  })

  test('and nothing comes, when a group is listed twice or lies elsewhere; other scopes land', async () => {
    const system = new MemorySystem()
    system.fleet = [pbsA({ '': { 'vm/1': [1] }, a: { 'vm/2': [1] }, b: { 'vm/3': [1] } })]
    system.listing = {
      failure: (scope) => {
        if (scope.resource !== 'snapshots' || scope.namespace === 'b') return null
        const again = groupFrame('pbs-a', 'tank', '', 'vm/9', [1])
        return [again, again, { _tag: 'complete', scope, count: 2, visibility: null }]
      },
    }
    const record = await run(system.sync())
    expect(record.ends).toEqual([
      'servers: landed',
      'datastores of pbs-a: landed',
      'namespaces of pbs-a/tank: landed',
      'snapshots of pbs-a/tank: failed: protocol',
      'snapshots of pbs-a/tank/a: failed: protocol',
      'snapshots of pbs-a/tank/b: landed',
    ])
    expect(system.world.all('snapshot').map(({ facts }) => facts['backup_id'])).toEqual(['3'])
  })
})

describe('the guard', () => {
  const sixty = hours(60)

  test('holds what is too many; creations land, the rows say since when, and the run is incomplete', async () => {
    const system = await synced(pbsA({ '': { 'vm/1': sixty, 'vm/2': sixty } }))
    system.fleet = [pbsA({ '': { 'vm/2': sixty } })]
    await run(system.sync())
    system.fleet = [pbsA({ '': { 'vm/2': sixty, 'vm/3': [1] } })]
    const record = await run(system.sync())
    expect(record.ends).toEqual(['snapshots of pbs-a/tank: held_back: too_many'])
    expect(record.run).toMatchObject({ status: 'incomplete', counts: { created: 1, deleted: 0, held_back: 60 } })
    const held = snapshotsOf(system, '1')
    expect(new Set(held.map(({ presence }) => presence))).toEqual(new Set(['missing']))
    expect(held.every(({ missingSince }) => missingSince !== null)).toBe(true)
  })

  test('holds them again in the next run, without writing a row', async () => {
    const system = await synced(pbsA({ '': { 'vm/1': sixty, 'vm/2': sixty } }))
    system.fleet = [pbsA({ '': { 'vm/2': sixty } })]
    await run(system.syncTwice())
    const since = snapshotsOf(system, '1').map(({ missingSince }) => missingSince)
    system.world.writes = 0
    const record = await run(system.sync())
    expect(record.ends).toEqual(['snapshots of pbs-a/tank: held_back: too_many'])
    expect(system.world.writes).toBe(0)
    expect(snapshotsOf(system, '1').map(({ missingSince }) => missingSince)).toEqual(since)
  })

  test('lets go of them when the settings allow it', async () => {
    const system = await synced(pbsA({ '': { 'vm/1': sixty, 'vm/2': sixty } }))
    system.fleet = [pbsA({ '': { 'vm/2': sixty } })]
    await run(system.syncTwice())
    system.set({ guard_min_rows: 60 })
    const record = await run(system.sync())
    expect(record.ends).toEqual(['snapshots of pbs-a/tank: landed'])
    expect(snapshotsOf(system, '1')).toEqual([])
  })

  test('gives held rows back when the same frame comes again', async () => {
    const fleet = pbsA({ '': { 'vm/1': sixty, 'vm/2': sixty } })
    const system = await synced(fleet)
    const ids = snapshotsOf(system, '1').map(({ id }) => id)
    system.fleet = [pbsA({ '': { 'vm/2': sixty } })]
    await run(system.syncTwice())
    system.fleet = [fleet]
    const record = await run(system.sync())
    expect(record.run).toMatchObject({ status: 'completed', counts: { updated: 60, created: 0, held_back: 0 } })
    expect(snapshotsOf(system, '1').map(({ id, presence, missingSince }) => [id, presence, missingSince])).toEqual(
      ids.map((id) => [id, 'listed', null]),
    )
  })

  test.each([
    [9, 'landed'],
    [10, 'held_back: emptied'],
  ])('of %i rows, all gone: %s', async (count, outcome) => {
    const system = await synced(pbsA({ '': { 'vm/1': hours(count) } }))
    system.fleet = [pbsA({ '': {} })]
    const record = await run(system.syncTwice())
    expect(record.ends).toEqual([`snapshots of pbs-a/tank: ${outcome}`])
  })

  test('holds deletions under another visibility, and keeps the old one until none waits', async () => {
    const system = new MemorySystem()
    system.fleet = [pbsA({ '': { 'vm/1': hours(3) } })]
    system.listing = { visibility: 'wide' }
    await run(system.sync())
    system.fleet = [pbsA({ '': { 'vm/1': hours(2) } })]
    system.listing = { visibility: 'narrow' }
    const [first, second] = [await run(system.sync()), await run(system.sync())]
    for (const record of [first, second]) {
      expect(record.ends).toEqual(['snapshots of pbs-a/tank: held_back: visibility_changed'])
    }
    system.listing = { visibility: 'wide' }
    expect((await run(system.sync())).ends).toEqual(['snapshots of pbs-a/tank: landed'])
    system.listing = { visibility: 'narrow' }
    await run(system.sync())
    system.fleet = [pbsA({ '': { 'vm/1': hours(1) } })]
    expect((await run(system.sync())).ends).toEqual(['snapshots of pbs-a/tank: landed'])
  })
})
