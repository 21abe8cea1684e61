import { describe, expect, test } from 'vitest'
import type { FleetServer } from './memory/fleet.ts'
import { cut, MemorySystem, run, synced } from './memory/system.ts'

const fleet = ({ without = '' } = {}): FleetServer => ({
  name: 'pbs-a',
  endpointId: 1,
  datastores: {
    ...(without === 'datastore' ? {} : { pond: { namespaces: { '': { 'vm/9': [1, 2] }, p: { 'vm/8': [1] } } } }),
    tank: {
      namespaces: {
        '': { 'vm/1': [1], ...(without === 'group' ? {} : { 'vm/2': [1, 2, 3] }) },
        ...(without === 'namespace' ? {} : { a: { 'vm/3': [1, 2] } }),
      },
    },
  },
  jobs: { verify: without === 'job' ? ['x'] : ['x', 'y'] },
})

/**
 * Of each thing that PBS may leave out: its model, its facts, and the rows that lie below it, each
 * by model and facts.
 */
const things = [
  [
    'datastore',
    { name: 'pond' },
    [
      ['namespace', { datastore_name: 'pond' }],
      ['group', { datastore_name: 'pond' }],
      ['snapshot', { datastore_name: 'pond' }],
    ],
  ],
  [
    'namespace',
    { path: 'a' },
    [
      ['group', { namespace: 'a' }],
      ['snapshot', { namespace: 'a' }],
    ],
  ],
  ['group', { backup_id: '2' }, [['snapshot', { backup_id: '2' }]]],
  ['job', { job_id: 'y' }, []],
] as const

const everything = (system: MemorySystem) =>
  Object.values(system.world.rows).flatMap((rows) => [...rows.values()].map(({ id, facts }) => ({ id, facts })))

describe.each(things)('a %s that one complete list lacks', (model, facts, children) => {
  const row = (system: MemorySystem) => system.world.where(model, facts)[0]

  test('stays, as missing, with its descendants, and no decision is asked for', async () => {
    const system = await synced(fleet())
    const before = everything(system)
    system.fleet = [fleet({ without: model })]
    const record = await run(system.sync())
    expect(record.run).toMatchObject({ status: 'completed', counts: { deleted: 0, updated: 0, held_back: 0 } })
    expect(everything(system)).toEqual(before)
    expect(row(system)).toMatchObject({
      presence: 'absent',
      missingSince: expect.any(String),
      absentRun: record.run.id,
    })
    expect(system.world.held.size).toBe(0)
  })

  test('goes with the list of the next run that lacks it too, and so does what lies below it', async () => {
    const system = await synced(fleet())
    system.fleet = [fleet({ without: model })]
    const second = await run(system.syncTwice())
    expect(second.run.status).toBe('completed')
    for (const [kind, of] of [[model, facts], ...children] as const) expect(system.world.where(kind, of)).toEqual([])
  })

  test('stays when it is the same run that lists it again', async () => {
    const system = await synced(fleet())
    system.fleet = [fleet({ without: model })]
    const before = everything(system)
    let cuts = 2
    const { frames } = system
    system.frames = function* (request) {
      yield* frames(request)
      if (request.resource === 'jobs' && cuts-- > 0) yield cut(true)
    }
    system.requests.length = 0
    const record = await run(system.sync())
    expect(system.requests.filter(({ resource }) => resource === 'jobs')).toHaveLength(3)
    expect(everything(system)).toEqual(before)
    expect(row(system)).toMatchObject({ presence: 'absent', absentRun: record.run.id })
  })

  test('returns as the row it was, and its next absence is a first one', async () => {
    const system = await synced(fleet())
    const before = everything(system)
    system.fleet = [fleet({ without: model })]
    await run(system.sync())
    system.fleet = [fleet()]
    const record = await run(system.sync())
    expect(record.run).toMatchObject({ status: 'completed', counts: { created: 0, updated: 0, deleted: 0 } })
    expect(everything(system)).toEqual(before)
    const rows = Object.values(system.world.rows).flatMap((all) => [...all.values()])
    expect(rows.filter(({ presence, missingSince }) => presence !== 'listed' || missingSince !== null)).toEqual([])
    system.world.writes = 0
    await run(system.sync())
    expect(system.world.writes).toBe(0)
    system.fleet = [fleet({ without: model })]
    await run(system.sync())
    expect(everything(system)).toEqual(before)
  })

  test('that another visibility hides is held back when it is to go', async () => {
    const system = new MemorySystem()
    system.fleet = [fleet()]
    system.listing = { visibility: 'wide' }
    await run(system.sync())
    system.fleet = [fleet({ without: model })]
    system.listing = { visibility: 'narrow' }
    await run(system.sync())
    expect(system.world.held.size).toBe(0)
    const record = await run(system.sync())
    expect(record.ends.filter((end) => end.endsWith('held_back: visibility_changed'))).not.toEqual([])
    expect(row(system)).toMatchObject({ presence: 'missing' })
  })

  test('is told apart from rows that could not be read: with these left out nothing becomes missing, and nothing goes', async () => {
    const system = await synced(fleet())
    const before = everything(system)
    system.fleet = [fleet({ without: model })]
    system.listing = { leftOut: () => 2 }
    const record = await run(system.sync(['datastores', 'snapshots', 'jobs']))
    expect(record.run.status).toBe('incomplete')
    expect(new Set(record.outcomes.map(({ reason }) => reason?.code))).toEqual(new Set(['left_out']))
    expect(row(system)).toMatchObject({ presence: 'listed', missingSince: null })
    system.listing = {}
    await run(system.sync())
    system.listing = { leftOut: () => 1 }
    await run(system.sync())
    expect(row(system)).toMatchObject({ presence: 'absent' })
    expect(everything(system)).toEqual(before)
    system.listing = {}
    await run(system.sync())
    expect(row(system)).toBeUndefined()
  })
})

describe('a list with rows left out', () => {
  test('lands what is new and what changed; a snapshot that it lacks stays until a whole list lacks it', async () => {
    const system = await synced({
      ...fleet(),
      datastores: { tank: { namespaces: { '': { 'vm/1': [1, 2], 'vm/2': [1] } } } },
    })
    system.fleet = [{ ...fleet(), datastores: { tank: { namespaces: { '': { 'vm/1': [2, 3], 'vm/4': [1] } } } } }]
    system.listing = { leftOut: ({ resource }) => (resource === 'snapshots' ? 1 : 0) }
    const record = await run(system.sync(['snapshots']))
    expect(record.run).toMatchObject({ status: 'incomplete', counts: { created: 2, deleted: 0, held_back: 0 } })
    expect(record.outcomes.filter(({ outcome }) => outcome !== 'unchanged')).toMatchObject([
      {
        outcome: 'held_back',
        reason: { code: 'left_out', message: expect.stringMatching(/^1 row exists and cannot be read/) },
      },
    ])
    expect(system.world.where('snapshot', { backup_id: '1' })).toHaveLength(3)
    expect(system.world.where('group', { backup_id: '2' })).toMatchObject([{ presence: 'listed' }])
    system.listing = {}
    await run(system.sync(['snapshots']))
    // The same frame says now what it could not say before.
    expect(system.world.where('snapshot', { backup_id: '1' })).toHaveLength(2)
    expect(system.world.where('group', { backup_id: '2' })).toMatchObject([{ presence: 'absent' }])
  })

  test('does not carry a confirmation out, nor end the held deletions', async () => {
    const sixty = Array.from({ length: 60 }, (_, hour) => hour)
    const whole = { ...fleet(), datastores: { tank: { namespaces: { '': { 'vm/1': sixty, 'vm/2': sixty } } } } }
    const system = await synced(whole)
    system.fleet = [{ ...whole, datastores: { tank: { namespaces: { '': { 'vm/2': sixty } } } } }]
    await run(system.syncTwice())
    system.listing = { leftOut: () => 1 }
    await run(system.sync(['snapshots']))
    expect(system.world.held.size).toBe(1)
    expect(system.world.where('snapshot', { backup_id: '1' })).toHaveLength(60)
  })
})
