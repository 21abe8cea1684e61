import type { HeldDeletions } from '@netbox-pbs/core'
import { HeldDeletionsStore } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { describe, expect, test } from 'vitest'
import { confirmHeld, dismissHeld } from '../src/index.ts'
import type { FleetDatastore, FleetServer } from './memory/fleet.ts'
import { MemorySystem, run, synced } from './memory/system.ts'

const hours = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, hour) => hour)
const pbsA = (datastores: Readonly<Record<string, FleetDatastore['namespaces']>>): FleetServer => ({
  name: 'pbs-a',
  endpointId: 1,
  datastores: Object.fromEntries(Object.entries(datastores).map(([name, namespaces]) => [name, { namespaces }])),
})
const tank = (root: FleetDatastore['namespaces'][string]) => pbsA({ tank: { '': root } })

const sixty = hours(60)
const whole = tank({ 'vm/1': sixty, 'vm/2': sixty })
const half = tank({ 'vm/2': sixty })

const ids = (system: MemorySystem) => [...new Set(system.world.all('snapshot').map(({ facts }) => facts['backup_id']))]
const missing = (system: MemorySystem) =>
  system.world.all('snapshot').filter(({ presence }) => presence === 'missing').length

const sets = (system: MemorySystem, runId: number | null = null): Promise<ReadonlyArray<HeldDeletions>> =>
  run(
    Effect.flatMap(HeldDeletionsStore, (held) => held.list({ runId, limit: 50, offset: 0 })).pipe(
      Effect.map(({ rows }) => rows),
      Effect.provide(system.layer),
      Effect.orDie,
    ),
  )
const theSet = async (system: MemorySystem): Promise<HeldDeletions> => {
  const [set] = [...system.world.held.values()]
  if (set === undefined) throw new Error('nothing is held')
  return { ...set, count: missing(system) }
}
const decision = ({ id, revision }: HeldDeletions) => ({ id, revision, user: 'ann' })
const confirm = async (system: MemorySystem, set: HeldDeletions) =>
  run(Effect.either(confirmHeld(decision(set))).pipe(Effect.provide(system.layer)))
const dismiss = async (system: MemorySystem, set: HeldDeletions) =>
  run(Effect.either(dismissHeld(decision(set))).pipe(Effect.provide(system.layer)))

/** A system that has landed the whole fleet, and then, in two runs, half of it. */
async function halved(): Promise<MemorySystem> {
  const system = await synced(whole)
  system.fleet = [half]
  await run(system.syncTwice())
  return system
}

describe('held deletions', () => {
  test('is one a scope; each run that holds it lists it, and a run that finds it as it was adds nothing', async () => {
    const system = await halved()
    const first = system.lastRun.id
    const [set] = await sets(system, first)
    expect(set).toMatchObject({
      count: 60,
      state: 'waiting',
      reason: 'too_many',
      revision: 1,
      runId: first,
      decided: null,
    })
    await run(system.sync())
    expect(await sets(system, first)).toEqual(await sets(system, first + 1))
    expect(await sets(system)).toMatchObject([{ id: set?.id, revision: 1, since: set?.since, runId: first + 1 }])
  })

  test('ends when its rows come back', async () => {
    const system = await halved()
    system.fleet = [whole]
    await run(system.sync())
    expect(await sets(system)).toEqual([])
    expect(system.world.held.size).toBe(0)
  })

  test('shrinks without a new revision, and has one when it grows', async () => {
    const system = await halved()
    system.fleet = [tank({ 'vm/1': [0, 1], 'vm/2': sixty })]
    await run(system.sync())
    expect(await theSet(system)).toMatchObject({ count: 58, revision: 1 })
    system.fleet = [tank({ 'vm/2': hours(59) })]
    await run(system.sync())
    expect(await theSet(system)).toMatchObject({ count: 59, revision: 2 })
    await run(system.sync())
    expect(await theSet(system)).toMatchObject({ count: 61, revision: 3 })
  })
})

describe('confirming', () => {
  test('starts a run of that scope alone, which deletes the rows that are still missing', async () => {
    const system = await halved()
    system.requests.length = 0
    const set = await theSet(system)
    expect(await confirm(system, set)).toMatchObject({
      _tag: 'Right',
      right: {
        resources: ['snapshots'],
        servers: ['pbs-a'],
        user: 'ann',
        scope_filter: { datastores: ['tank'], namespaces: [''] },
      },
    })
    expect(missing(system)).toBe(60)
    await run(system.work)
    expect(system.requests).toEqual([
      {
        resource: 'snapshots',
        servers: ['pbs-a'],
        datastores: ['tank'],
        namespaces: [''],
        run: expect.any(String),
        known_frames: [expect.any(String)],
      },
    ])
    expect(ids(system)).toEqual(['2'])
    expect(system.lastRun).toMatchObject({ status: 'completed', counts: { deleted: 60, held_back: 0 } })
    expect(system.world.held.size).toBe(0)
  })

  test('spares rows that came back, and holds rows that went missing since', async () => {
    const system = await halved()
    await confirm(system, await theSet(system))
    system.fleet = [tank({ 'vm/1': [7], 'vm/2': hours(59) })]
    await run(system.work)
    expect(system.record(system.lastRun.id).ends).toEqual(['snapshots of pbs-a/tank: held_back: unconfirmed'])
    expect(system.lastRun.counts).toEqual({ created: 0, updated: 1, deleted: 59, unchanged: 60, held_back: 1 })
    expect(await theSet(system)).toMatchObject({ state: 'waiting', count: 1, revision: 2, decided: null })
    expect(system.world.where('snapshot', { backup_id: '1' })).toMatchObject([{ presence: 'listed' }])
  })

  test('holds under another visibility than the confirmed one, and asks again', async () => {
    const system = await synced(whole)
    system.listing = { visibility: 'wide' }
    await run(system.sync())
    system.fleet = [half]
    system.listing = { visibility: 'narrow' }
    await run(system.syncTwice())
    const seen = await theSet(system)
    expect(seen).toMatchObject({ reason: 'visibility_changed', visibility: 'narrow' })
    await confirm(system, seen)
    system.listing = { visibility: 'third' }
    await run(system.work)
    expect(missing(system)).toBe(60)
    const requested = await theSet(system)
    expect(requested).toMatchObject({ state: 'waiting', visibility: 'third', revision: seen.revision + 1 })
    // Under the confirmed visibility they go, and it becomes the scope's own.
    await confirm(system, requested)
    await run(system.work)
    expect(ids(system)).toEqual(['2'])
    system.fleet = [tank({ 'vm/2': hours(59) })]
    expect((await run(system.sync())).ends).toEqual(['snapshots of pbs-a/tank: landed'])
  })

  test('is carried out by a later run when its own fails', async () => {
    const system = await halved()
    await confirm(system, await theSet(system))
    const { frames } = system
    system.frames = () => [{ _tag: 'end' }]
    await run(system.work)
    expect(missing(system)).toBe(60)
    system.frames = frames
    await run(system.sync())
    expect(ids(system)).toEqual(['2'])
  })

  test('is refused twice, for another revision, and for a set that is gone', async () => {
    const system = await halved()
    const set = await theSet(system)
    expect(await confirm(system, { ...set, revision: 7 })).toMatchObject({
      left: { _tag: 'HeldDeletionsChanged', reason: 'another_revision', set: { revision: 1, count: 60 } },
    })
    await confirm(system, set)
    expect(await confirm(system, set)).toMatchObject({
      left: { _tag: 'HeldDeletionsChanged', reason: 'decided', message: expect.stringContaining('by ann') },
    })
    await run(system.work)
    expect(await confirm(system, set)).toMatchObject({ left: { _tag: 'HeldDeletionsNotFound' } })
  })

  test('of rows that came back deletes none of them', async () => {
    const system = await halved()
    const set = await theSet(system)
    system.fleet = [whole]
    await confirm(system, set)
    await run(system.work)
    expect(system.lastRun).toMatchObject({ status: 'completed', counts: { deleted: 0, updated: 60 } })
    expect(await confirm(system, set)).toMatchObject({ left: { _tag: 'HeldDeletionsNotFound' } })
  })

  test('on a server that was deleted since ends with an error', async () => {
    const system = await halved()
    await confirm(system, await theSet(system))
    system.world.rows.server.clear()
    await run(system.work)
    expect(system.lastRun).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('no longer in the inventory'),
    })
  })

  test('of one scope records nothing of the others when the run fails', async () => {
    const system = await synced(pbsA({ pond: { '': { 'vm/9': [1] } }, tank: { '': { 'vm/1': hours(20) } } }))
    system.fleet = [pbsA({ pond: { '': { 'vm/9': [1] } }, tank: { '': {} } })]
    await run(system.syncTwice())
    await confirm(system, await theSet(system))
    system.frames = () => []
    await run(system.work)
    await run(system.work)
    expect(system.record(system.lastRun.id).ends).toEqual(['snapshots of pbs-a/tank: failed: cut_off'])
  })
})

describe('what is below a vanished row', () => {
  const before = pbsA({ tank: { '': {}, a: { 'vm/1': hours(20) } }, pond: { '': {} } })

  test('is confirmed by itself; the row goes in the same run', async () => {
    const system = await synced(before)
    system.fleet = [pbsA({ tank: { '': {} }, pond: { '': {} } })]
    await run(system.syncTwice())
    const [rows, above] = await sets(system)
    expect([rows, above]).toMatchObject([
      { scope: { namespace: 'a' }, reason: 'emptied', count: 20 },
      { scope: { resource: 'namespaces' }, reason: 'children_held', count: 1 },
    ])
    system.requests.length = 0
    if (rows !== undefined) await confirm(system, rows)
    await run(system.work)
    // A namespace that is gone cannot be listed: the list of the namespaces says so.
    expect(system.requests).toEqual([
      { resource: 'snapshots', servers: ['pbs-a'], datastores: ['tank'], run: expect.any(String) },
    ])
    expect(system.lastRun.status).toBe('completed')
    expect(system.world.all('snapshot')).toEqual([])
    expect(system.world.where('namespace', { path: 'a' })).toEqual([])
    expect(system.world.held.size).toBe(0)
  })

  test('in a datastore is judged by the list of the datastores', async () => {
    const system = await synced(before)
    system.fleet = [pbsA({ pond: { '': {} } })]
    await run(system.syncTwice())
    const rows = (await sets(system)).find(({ reason }) => reason === 'emptied')
    system.requests.length = 0
    if (rows !== undefined) await confirm(system, rows)
    await run(system.work)
    expect(system.requests).toEqual([{ resource: 'datastores', servers: ['pbs-a'], run: expect.any(String) }])
    expect(system.world.all('datastore').map(({ facts }) => facts['name'])).toEqual(['pond'])
    expect(system.world.held.size).toBe(0)
  })

  test('keeps the row in silence when it was dismissed', async () => {
    const system = await synced(before)
    system.fleet = [pbsA({ tank: { '': {} }, pond: { '': {} } })]
    await run(system.syncTwice())
    const [rows] = await sets(system)
    if (rows !== undefined) await dismiss(system, rows)
    const record = await run(system.sync())
    expect(record.ends).toEqual([])
    expect(record.run.status).toBe('completed')
    expect(system.world.where('namespace', { path: 'a' })).toMatchObject([{ presence: 'missing' }])
    expect(missing(system)).toBe(20)
  })

  test('of a row in doubt stays in doubt, until it is confirmed itself', async () => {
    const system = new MemorySystem()
    system.fleet = [pbsA({ tank: { '': {}, a: { 'vm/1': hours(3) } } })]
    system.listing = { visibility: 'wide' }
    await run(system.sync())
    system.fleet = [pbsA({ tank: { '': {} } })]
    system.listing = { visibility: 'narrow' }
    await run(system.syncTwice())
    const [rows, above] = await sets(system)
    expect([rows?.reason, above?.reason]).toEqual(['visibility_changed', 'visibility_changed'])
    if (rows !== undefined) await confirm(system, rows)
    await run(system.work)
    expect(system.world.all('snapshot')).toEqual([])
    expect(system.world.where('namespace', { path: 'a' })).toMatchObject([{ presence: 'missing' }])
    if (above !== undefined) await confirm(system, above)
    await run(system.work)
    expect(system.world.where('namespace', { path: 'a' })).toEqual([])
  })
})

describe('dismissing', () => {
  test('keeps the rows, and is silent in runs that follow', async () => {
    const system = await halved()
    expect(await dismiss(system, await theSet(system))).toMatchObject({
      right: { state: 'dismissed', decided: { by: 'ann', count: 60 } },
    })
    const record = await run(system.sync())
    expect(record.run).toMatchObject({ status: 'completed', counts: { held_back: 0, deleted: 0 } })
    expect(record.ends).toEqual([])
    expect(missing(system)).toBe(60)
  })

  test('does not stop the deletion of other rows, nor wakes by it', async () => {
    const system = await halved()
    await dismiss(system, await theSet(system))
    system.fleet = [tank({ 'vm/2': hours(55) })]
    expect((await run(system.sync())).ends).toEqual(['snapshots of pbs-a/tank: landed'])
    expect(await theSet(system)).toMatchObject({ state: 'dismissed', count: 60, revision: 1 })
    expect(system.world.where('snapshot', { backup_id: '2' })).toHaveLength(55)
  })

  test('waits again when the set grows, and the dismissed rows still go by nothing but a confirmation', async () => {
    const system = await halved()
    await dismiss(system, await theSet(system))
    system.fleet = [tank({})]
    expect((await run(system.syncTwice())).ends).toEqual(['snapshots of pbs-a/tank: held_back: emptied'])
    expect(await theSet(system)).toMatchObject({ state: 'waiting', count: 120, revision: 2, kept: true })
    // The rows that made it grow return, and the settings would let all deletions land.
    system.fleet = [half]
    system.set({ guard_min_rows: 1000 })
    await run(system.sync())
    expect(missing(system)).toBe(60)
    await confirm(system, await theSet(system))
    await run(system.work)
    expect(ids(system)).toEqual(['2'])
  })

  test('of a changed visibility makes that the visibility to compare with', async () => {
    const system = new MemorySystem()
    system.fleet = [tank({ 'vm/1': hours(5), 'vm/2': hours(5) })]
    system.listing = { visibility: 'wide' }
    await run(system.sync())
    system.fleet = [tank({ 'vm/2': hours(5) })]
    system.listing = { visibility: 'narrow' }
    await run(system.syncTwice())
    await dismiss(system, await theSet(system))
    for (const count of [4, 3]) {
      system.fleet = [tank({ 'vm/2': hours(count) })]
      expect((await run(system.sync())).ends).toEqual(['snapshots of pbs-a/tank: landed'])
    }
    expect(ids(system)).toEqual(['1', '2'])
    expect(missing(system)).toBe(5)
  })

  test('takes a confirmation back', async () => {
    const system = await halved()
    const set = await theSet(system)
    await confirm(system, set)
    await dismiss(system, set)
    await run(system.work)
    expect(missing(system)).toBe(60)
  })
})
