import { followsSettings, naturalKey, neverContacted, noRows, type Scope } from '@netbox-pbs/core'
import { Inventory } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { expect, test } from 'vitest'
import { addSnapshot, type InventoryUnderTest, newScope, newServer } from './fleet.ts'
import {
  change,
  collect,
  create,
  datastoreFacts,
  jobFacts,
  landOnce,
  may,
  type Part,
  remove,
  serverFacts,
  serverIdOf,
  snapshotFacts,
} from './landing.ts'

/** The contract of the effects of a landing of `ChangeSets` on main. */
export const landingContract = ({ run }: InventoryUnderTest): void => {
  test('creates what main lacks, and keeps the digests of frame and row and the visibility of the list', async () => {
    await run(
      Effect.gen(function* () {
        const inventory = yield* Inventory
        const { server, group, facts, groups, snapshots, state } = yield* newScope('new', [1, 2])
        expect(yield* groups).toEqual([
          {
            id: expect.any(Number),
            presence: 'listed',
            facts: group,
            digest: 'first',
            listed: 2,
            listDigest: 'row of first',
          },
        ])
        expect(yield* snapshots).toEqual(
          [1, 2].map((day) => ({ id: expect.any(Number), presence: 'listed', facts: facts(day) })),
        )
        expect(yield* state).toEqual({
          visibility: 'wide',
          lastCompleteAt: '2026-06-01T00:00:00Z',
          rows: 2,
          held: 0,
          set: null,
        })
        const tank = datastoreFacts(server, 'tank')
        const stores: Scope = { resource: 'datastores', server: 'new' }
        expect(yield* landOnce(stores, [{ model: 'datastore', changes: [create('datastore', tank)] }])).toEqual({
          ...noRows,
          created: 1,
        })
        expect(yield* collect(inventory.datastores({ serverId: server }))).toEqual([
          { id: expect.any(Number), presence: 'listed', facts: tank },
        ])
        expect(yield* collect(inventory.namespacesInUse({ serverId: server, datastore: 'tank' }))).toEqual([''])
        expect(yield* collect(inventory.datastoresInUse({ serverId: server }))).toEqual(['tank'])
      }),
    )
  })

  test('writes the named fields of an update, and only those', async () => {
    await run(
      Effect.gen(function* () {
        const { id, facts, land, frame, groups, snapshots } = yield* newScope('touched', [1, 2])
        const [first, second] = yield* snapshots
        const to = { comment: 'keep', protected: true }
        const update = change('snapshot', id(1), { ...facts(1), owner: 'as it was@pbs' }, to)
        expect(yield* land([{ model: 'snapshot', changes: [update] }, frame('second', 2)])).toEqual({
          ...noRows,
          updated: 1,
        })
        expect(yield* snapshots).toEqual([{ ...first, facts: { ...facts(1), ...to } }, second])
        expect((yield* groups).map(({ digest }) => digest)).toEqual(['second'])
      }),
    )
  })

  test('applies an update that gives a row another key, once', async () => {
    await run(
      Effect.gen(function* () {
        const server = yield* newServer('old-name')
        const facts = serverFacts('old-name')
        const scope = { resource: 'servers' } as const
        const rename = { name: 'new-name', host: 'moved.example.com' }
        const update = change('server', server, facts, rename)
        expect(yield* landOnce(scope, [{ model: 'server', changes: [update] }])).toEqual({ ...noRows, updated: 1 })
        // Its key is no longer the one the update was made for.
        expect(yield* landOnce(scope, [{ model: 'server', changes: [update] }])).toEqual(noRows)
        const found = yield* (yield* Inventory).server({ id: server })
        expect(Option.map(found, (row) => row.facts)).toEqual(Option.some({ ...facts, ...rename }))
      }),
    )
  })

  test('deletes rows and the groups that are left empty', async () => {
    await run(
      Effect.gen(function* () {
        const { lacks, groupRemoved, land, left, groups, state } = yield* newScope('leaving', [1, 2])
        expect(yield* land([lacks(1)])).toEqual({ ...noRows, deleted: 1 })
        expect(yield* left).toEqual(['2 listed'])
        expect(yield* land([lacks(2), groupRemoved])).toEqual({ ...noRows, deleted: 1 })
        expect(yield* groups).toEqual([])
        expect((yield* state).rows).toBe(0)
      }),
    )
  })

  test('never gives an id twice', async () => {
    await run(
      Effect.gen(function* () {
        const { lacks, adds, land, id, snapshots } = yield* newScope('again', [1])
        yield* land([lacks(1)])
        yield* land([adds(1)])
        const [after] = yield* snapshots
        expect(after?.id).toBeGreaterThan(id(1))
      }),
    )
  })

  test('lists a row made by a user when the source reports its key', async () => {
    await run(
      Effect.gen(function* () {
        const { facts, adds, land, left, snapshots } = yield* newScope('adopted', [1])
        const id = yield* addSnapshot({ ...facts(2), owner: 'me@pbs' })
        expect(yield* left).toEqual(['1 listed', '2 manual'])
        expect(yield* land([adds(2)])).toEqual({ ...noRows, updated: 1 })
        expect((yield* snapshots)[1]).toEqual({ id, presence: 'listed', facts: facts(2) })
      }),
    )
  })

  test('creates a key that is staged twice once, as it was staged last, and one that is there already not at all', async () => {
    await run(
      Effect.gen(function* () {
        const { server, facts, adds, land, snapshots } = yield* newScope('twice', [1])
        const last = snapshotFacts(server, '100', may(2), { comment: 'the last word' })
        const changes = [create('snapshot', facts(2)), create('snapshot', last)]
        expect(yield* land([{ model: 'snapshot', changes }])).toEqual({ ...noRows, created: 1 })
        expect((yield* snapshots).map((row) => row.facts)).toEqual([facts(1), last])
        expect(yield* land([adds(1)])).toEqual(noRows)
      }),
    )
  })

  test('keeps held deletions as missing, without their digest and under the old visibility, until they are listed again', async () => {
    await run(
      Effect.gen(function* () {
        const { lacks, again, land, frame, left, groups, state } = yield* newScope('held', [1, 2])
        const hold = (at: string) =>
          land([lacks(1), frame('shorter', 1)], { held: 'too_many', at, visibility: 'narrow' })
        expect(yield* hold('2026-06-02T00:00:00Z')).toEqual({ ...noRows, held_back: 1 })
        expect(yield* hold('2026-06-03T00:00:00Z')).toEqual({ ...noRows, held_back: 1 })
        expect(yield* left).toEqual(['1 missing', '2 listed'])
        expect((yield* groups).map(({ digest }) => digest)).toEqual([null])
        expect(yield* state).toEqual({
          visibility: 'wide',
          lastCompleteAt: '2026-06-03T00:00:00Z',
          rows: 2,
          held: 1,
          set: expect.objectContaining({
            state: 'waiting',
            revision: 1,
            reason: 'too_many',
            visibility: 'narrow',
            kept: false,
          }),
        })
        expect(yield* land([again(1), frame('shorter', 1)], { visibility: 'narrow' })).toEqual({
          ...noRows,
          updated: 1,
        })
        expect(yield* left).toEqual(['1 listed', '2 listed'])
        expect((yield* groups).map(({ digest }) => digest)).toEqual(['shorter'])
        expect(yield* state).toMatchObject({ visibility: 'narrow', rows: 2, held: 0, set: null })
      }),
    )
  })

  test('keeps an empty group while its deletion waits', async () => {
    await run(
      Effect.gen(function* () {
        const { groupRemoved, land, groups } = yield* newScope('empty', [])
        yield* land([groupRemoved], { held: 'visibility_changed' })
        expect((yield* groups).map(({ presence }) => presence)).toEqual(['missing'])
        yield* land([groupRemoved])
        expect(yield* groups).toEqual([])
      }),
    )
  })

  test('keeps a parent while rows below it wait, and forgets a scope that was emptied because its parent is gone', async () => {
    await run(
      Effect.gen(function* () {
        const inventory = yield* Inventory
        const { server, lacks, groupRemoved, land, state } = yield* newScope('parent', [1])
        const namespaces = { resource: 'namespaces', server: 'parent', datastore: 'tank' } as const
        const root = { server, datastore_name: 'tank', path: '' }
        yield* landOnce(namespaces, [{ model: 'namespace', changes: [create('namespace', root)] }])
        const roots = collect(inventory.namespaces({ serverId: server, datastore: 'tank' }))
        const [{ id } = { id: 0 }] = yield* roots
        const removed = [{ model: 'namespace', changes: [remove('namespace', id, root)] }] as const
        const emptied = [lacks(1), groupRemoved]
        yield* land(emptied, { held: 'emptied', listed: false, at: '2026-06-05T00:00:00Z' })
        expect(yield* landOnce(namespaces, removed)).toEqual({ ...noRows, held_back: 1 })
        expect((yield* roots).map(({ presence }) => presence)).toEqual(['missing'])
        expect(yield* state).toMatchObject({ rows: 1, held: 1, lastCompleteAt: '2026-06-01T00:00:00Z' })
        yield* land(emptied, { listed: false })
        expect(yield* landOnce(namespaces, removed)).toEqual({ ...noRows, deleted: 1 })
        expect(yield* roots).toEqual([])
        expect(yield* state).toEqual({ visibility: null, lastCompleteAt: null, rows: 0, held: 0, set: null })
      }),
    )
  })

  test('lets a part wait that is held by itself, and leaves a namespace with rows of a user to the user', async () => {
    await run(
      Effect.gen(function* () {
        const inventory = yield* Inventory
        const server = yield* newServer('below')
        const scope = { resource: 'namespaces', server: 'below', datastore: 'tank' } as const
        const facts = ['a', 'b', 'c'].map((path) => ({ server, datastore_name: 'tank', path }))
        yield* landOnce(scope, [{ model: 'namespace', changes: facts.map((row) => create('namespace', row)) }])
        yield* addSnapshot(snapshotFacts(server, '100', may(1), { namespace: 'c' }))
        const found = Effect.map(collect(inventory.namespaces({ serverId: server, datastore: 'tank' })), (rows) =>
          rows.toSorted((one, other) => (one.facts.path < other.facts.path ? -1 : 1)),
        )
        const [a, b, c] = (yield* found).map((row) => remove('namespace', row.id, row.facts))
        if (a === undefined || b === undefined || c === undefined) throw new Error('no rows')
        expect(
          yield* landOnce(scope, [
            { model: 'namespace', changes: [a, c] },
            { model: 'namespace', changes: [b], held: 'children_held' },
          ]),
        ).toEqual({ ...noRows, updated: 1, deleted: 1, held_back: 1 })
        expect((yield* found).map((row) => [row.facts.path, row.presence])).toEqual([
          ['b', 'missing'],
          ['c', 'manual'],
        ])
      }),
    )
  })

  test('leaves a group with a snapshot of a user to the user, and what a user has made theirs where it is', async () => {
    await run(
      Effect.gen(function* () {
        const { facts, lacks, groupRemoved, land, left, groups } = yield* newScope('theirs', [1])
        const id = yield* addSnapshot(facts(2))
        const theirs: Part = { model: 'snapshot', changes: [remove('snapshot', id, facts(2))] }
        expect(yield* land([lacks(1), theirs, groupRemoved])).toEqual({ ...noRows, deleted: 1 })
        expect(yield* left).toEqual(['2 manual'])
        expect((yield* groups).map(({ presence }) => presence)).toEqual(['manual'])
      }),
    )
  })

  test('deletes of the servers only one whose connection was never completed', async () => {
    await run(
      Effect.gen(function* () {
        const scope = { resource: 'servers' } as const
        const pending = serverFacts('never-was', { endpoint_state: 'pending', endpoint_id: null })
        const stays = yield* newServer('stays')
        yield* landOnce(scope, [{ model: 'server', changes: [create('server', pending)] }])
        const goes = (yield* serverIdOf('never-was')) ?? 0
        const changes = [remove('server', goes, pending), remove('server', stays, serverFacts('stays'))]
        expect(yield* landOnce(scope, [{ model: 'server', changes }])).toEqual({ ...noRows, deleted: 1 })
        expect([yield* serverIdOf('never-was'), yield* serverIdOf('stays')]).toEqual([null, stays])
      }),
    )
  })

  test('deletes and holds nothing when rows were left out of the list, which is then no complete one', async () => {
    await run(
      Effect.gen(function* () {
        const { lacks, adds, frame, land, left, groups, state } = yield* newScope('left-out', [1, 2])
        const before = yield* state
        const parts = [lacks(1), adds(3), frame('new', 2)]
        const more = { at: '2026-06-02T00:00:00Z', visibility: 'narrow', leftOut: 1 }
        expect(yield* land(parts, more)).toEqual({ ...noRows, created: 1 })
        expect(yield* land([lacks(1)], { ...more, held: 'too_many' })).toEqual(noRows)
        expect(yield* left).toEqual(['1 listed', '2 listed', '3 listed'])
        expect((yield* groups).map(({ digest }) => digest)).toEqual([null])
        expect(yield* state).toEqual({ ...before, rows: 3 })
      }),
    )
  })

  test('notes rows that one list lacks as absent since its run, and lists them again', async () => {
    await run(
      Effect.gen(function* () {
        const { groupId, land, left, groups, state } = yield* newScope('absent', [1, 2])
        const noted = { model: 'group', changes: [], sightings: { noted: [groupId], returned: [] } } as const
        const returned = { model: 'group', changes: [], sightings: { noted: [], returned: [groupId] } } as const
        expect(yield* land([noted], { runId: 77, visibility: 'narrow' })).toEqual(noRows)
        expect(yield* land([noted], { runId: 78, visibility: 'narrow' })).toEqual(noRows)
        expect(yield* left).toEqual(['1 absent', '2 absent'])
        expect(yield* groups).toMatchObject([{ presence: 'absent', absentRun: 77, digest: null }])
        expect(yield* state).toMatchObject({ visibility: 'wide', rows: 2, held: 0, set: null })
        expect(yield* land([returned], { visibility: 'narrow' })).toEqual(noRows)
        expect(yield* left).toEqual(['1 listed', '2 listed'])
        expect((yield* state).visibility).toBe('narrow')
      }),
    )
  })

  test('keeps the last contact of a server that no longer answers, and since when its endpoint is pending', async () => {
    await run(
      Effect.gen(function* () {
        const inventory = yield* Inventory
        const scope = { resource: 'servers' } as const
        const facts = serverFacts('pending', { endpoint_state: 'pending' })
        const contact = (last_seen_at: string | null, status: string) => [
          { key: naturalKey('server', facts), values: { ...neverContacted, status, last_seen_at } },
        ]
        const reached = contact('2026-06-01T00:00:00Z', 'reachable')
        yield* landOnce(scope, [{ model: 'server', changes: [create('server', facts)], observed: reached }])
        const find = Effect.map(collect(inventory.servers()), (all) => all.find((row) => row.facts.name === 'pending'))
        const row = yield* find
        if (row === undefined) throw new Error('no server')
        expect(row.pendingSince).toEqual(expect.stringMatching(/Z$/))
        const connected = change('server', row.id, facts, { endpoint_state: 'connected' })
        const unreached = contact(null, 'unreachable')
        yield* landOnce(scope, [{ model: 'server', changes: [connected], observed: unreached }])
        expect(yield* find).toEqual({
          id: row.id,
          presence: 'listed',
          facts: { ...facts, endpoint_state: 'connected' },
          pendingSince: null,
          timing: followsSettings,
          health: { ...neverContacted, status: 'unreachable', last_seen_at: '2026-06-01T00:00:00Z' },
        })
      }),
    )
  })

  test('counts a scope that two change sets land at once as one', async () => {
    await run(
      Effect.gen(function* () {
        const { adds, land, left } = yield* newScope('at-once', [1])
        const both = yield* Effect.all([land([adds(2, 3)]), land([adds(2, 3)])], { concurrency: 2 })
        expect(both.toSorted((a, b) => a.created - b.created)).toEqual([noRows, { ...noRows, created: 2 }])
        expect(yield* left).toEqual(['1 listed', '2 listed', '3 listed'])
      }),
    )
  })

  test('counts rows of the model of the scope, and lands what other parts of it change', async () => {
    await run(
      Effect.gen(function* () {
        const { server, groupId, group, land, groups } = yield* newScope('owned', [1])
        const owner = change('group', groupId, group, { owner: 'other@pbs' })
        expect(yield* land([{ model: 'group', changes: [owner] }])).toEqual(noRows)
        expect((yield* groups).map(({ facts }) => facts.owner)).toEqual(['other@pbs'])
        const jobs = { resource: 'jobs', server: 'owned', job_type: 'verify' } as const
        const job = jobFacts(server, 'nightly')
        expect(yield* landOnce(jobs, [{ model: 'job', changes: [create('job', job)] }])).toEqual({
          ...noRows,
          created: 1,
        })
        expect(yield* collect((yield* Inventory).jobs({ serverId: server, jobType: 'verify' }))).toEqual([
          { id: expect.any(Number), presence: 'listed', facts: job },
        ])
      }),
    )
  })
}
