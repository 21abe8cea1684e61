import { neverContacted } from '@netbox-pbs/core'
import {
  ApiTokens,
  Branches,
  type ChangeSets,
  HeldDeletionsStore,
  type Inventory,
  type InventoryWrites,
  type Landing,
  Queue,
  Runs,
  ServerObservations,
} from '@netbox-pbs/core/ports'
import { change, create, landOnce, may, remove, snapshotFacts } from '@netbox-pbs/testing'
import { Effect, Either, Layer, ManagedRuntime, Option } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import { accountsLayer } from '../src/accounts/accounts-layer.ts'
import type { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { queueLayer } from '../src/queue/queue.ts'
import { main, personsBranch } from './contract/branch-edits.ts'
import { actor, answer, at, conflictsOf, merge, newBranch, newFleet, rows, stageOnce } from './contract/branching.ts'
import { engines } from './engines.ts'

type Ports =
  | ApiTokens
  | Branches
  | ChangeSets
  | InventoryWrites
  | HeldDeletionsStore
  | Queue
  | Runs
  | ServerObservations
  | Database
  | Inventory

/**
 * Twenty of each race with NETBOX_PBS_RACES=all (`pnpm races`); else three, and two on the embedded
 * engine, whose one session lets one transaction wait for the other: one for each order.
 */
const roundsOn = (engine: 'pg' | 'pglite') => (process.env['NETBOX_PBS_RACES'] === 'all' ? 20 : engine === 'pg' ? 3 : 2)

/**
 * Runs two effects at one moment, the second one ahead in every other round, and gives what came of
 * the first and of the second.
 */
const together = <A, E, R, B, F, S>(nth: number, first: Effect.Effect<A, E, R>, second: Effect.Effect<B, F, S>) => {
  const both = { concurrency: 'unbounded' } as const
  return nth % 2 === 0
    ? Effect.all([Effect.either(first), Effect.either(second)], both)
    : Effect.map(
        Effect.all([Effect.either(second), Effect.either(first)], both),
        ([ofSecond, ofFirst]) => [ofFirst, ofSecond] as const,
      )
}

/** The tag of what an effect failed with; null: it did not fail. */
const failure = <A>(either: Either.Either<A, { readonly _tag: string }>): string | null =>
  Either.isLeft(either) ? either.left._tag : null

const branch = (id: number) =>
  Effect.flatMap(Branches, (branches) => Effect.map(branches.get({ id }), Option.getOrThrow))
const tankOf = (id: number) =>
  Effect.map(
    rows<{ comment: string; path: string }>(`select comment, path from datastores where id = ${id}`),
    ([row]) => row,
  )
/** The group of a fleet counts the snapshots that it has; a group without any is none. */
const countsAreTrue = (server: number) =>
  Effect.gen(function* () {
    const [counted] = yield* rows<{ n: number }>(
      `select coalesce(sum(snapshot_count), 0)::bigint as n from groups where server_id = ${server}`,
    )
    const [there] = yield* rows<{ n: number }>(`select count(*) as n from snapshots where server_id = ${server}`)
    expect(counted).toEqual(there)
  })
/** Ids of servers of which only runs and the queue know. */
let lastServer = 1_000_000

const newRun = (serverIds: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const runs = yield* Runs
    const { id } = yield* runs.create({ resources: ['snapshots'], servers: null, trigger: 'manual', user: 'ada' })
    yield* runs.expectJobs({ id, serverIds })
    return id
  })
const job = (runId: number, serverId: number) => ({ runId, serverId, resources: ['snapshots'] as const })

/** Each is run with a name that no other has, and asserts all that came of it. */
const races: ReadonlyArray<
  readonly [title: string, round: (name: string, nth: number) => Effect.Effect<void, unknown, Ports>]
> = [
  [
    'four workers reach for one job: a single one gets it',
    () =>
      Effect.gen(function* () {
        const queue = yield* Queue
        const serverId = ++lastServer
        yield* queue.enqueue(job(yield* newRun([serverId]), serverId), { urgent: false })
        const keyConflicts = yield* Effect.replicateEffect(queue.claim(), 4, { concurrency: 'unbounded' })
        const taken = keyConflicts.filter(Option.isSome)
        expect(taken.map(({ value }) => value.job.serverId)).toEqual([serverId])
        yield* Effect.forEach(taken, ({ value }) => queue.complete(value))
        expect(yield* queue.claim()).toEqual(Option.none())
      }),
  ],
  [
    'two runs on one server: the second one is taken when the first has ended, and not before',
    () =>
      Effect.gen(function* () {
        const queue = yield* Queue
        const serverId = ++lastServer
        const ids = [yield* newRun([serverId]), yield* newRun([serverId])]
        yield* Effect.forEach(ids, (id) => queue.enqueue(job(id, serverId), { urgent: false }), {
          concurrency: 'unbounded',
        })
        const done: Array<number> = []
        for (let turn = 0; turn < 2; turn++) {
          const keyConflicts = yield* Effect.replicateEffect(queue.claim(), 4, { concurrency: 'unbounded' })
          const [taken, ...others] = keyConflicts.filter(Option.isSome)
          expect(others).toEqual([])
          // The others reach again while it ends.
          const [, early] = yield* Effect.all(
            [taken === undefined ? Effect.void : queue.complete(taken.value), queue.claim()],
            { concurrency: 'unbounded' },
          )
          if (taken !== undefined) done.push(taken.value.job.runId)
          if (Option.isSome(early)) yield* queue.release(early.value)
        }
        expect(done.toSorted((a, b) => a - b)).toEqual(ids)
        expect(yield* queue.claim()).toEqual(Option.none())
      }),
  ],
  [
    'two jobs of a run end: one of them is told that none is left, and the run ends once',
    (_, nth) =>
      Effect.gen(function* () {
        const runs = yield* Runs
        const servers = [++lastServer, ++lastServer]
        const id = yield* newRun(servers)
        yield* Effect.forEach(servers, (serverId) => runs.startJob({ id, serverId }))
        const [a, b] = servers.map((serverId) => runs.endJob({ id, serverId, error: null }))
        const ended = yield* together(nth, a ?? Effect.die('no job'), b ?? Effect.die('no job'))
        expect(ended.map((one) => Either.getOrThrow(one).jobsLeft).toSorted()).toEqual([false, true])
        const [first, second] = yield* together(nth, runs.end({ id, error: null }), runs.end({ id, error: null }))
        expect(Either.getOrThrow(first)).toEqual(Either.getOrThrow(second))
        expect(Either.getOrThrow(first).status).toBe('completed')
      }),
  ],
  [
    'a run is cancelled when its job is taken: it is cancelled at once, or the job runs and is told',
    (_, nth) =>
      Effect.gen(function* () {
        const runs = yield* Runs
        const serverId = ++lastServer
        const id = yield* newRun([serverId])
        const [cancelled, started] = yield* together(nth, runs.requestCancel({ id }), runs.startJob({ id, serverId }))
        expect(failure(cancelled)).toBeNull()
        const { status } = Option.getOrThrow(yield* runs.get({ id }))
        expect([Either.getOrThrow(started), status]).toEqual(
          Either.getOrThrow(started) ? [true, 'running'] : [false, 'cancelled'],
        )
        expect(yield* runs.cancelRequested({ id })).toBe(true)
        yield* runs.endJob({ id, serverId, error: null })
        expect((yield* runs.end({ id, error: null })).status).toBe('cancelled')
      }),
  ],
  [
    'a run is cancelled when it ends: it ends once, and stays what it became',
    (_, nth) =>
      Effect.gen(function* () {
        const runs = yield* Runs
        const serverId = ++lastServer
        const id = yield* newRun([serverId])
        yield* runs.startJob({ id, serverId })
        yield* runs.endJob({ id, serverId, error: null })
        const [cancelled, ended] = yield* together(nth, runs.requestCancel({ id }), runs.end({ id, error: null }))
        expect([failure(cancelled), failure(ended)]).toEqual([null, null])
        const run = Option.getOrThrow(yield* runs.get({ id }))
        expect(['completed', 'cancelled']).toContain(run.status)
        expect(Either.getOrThrow(ended)).toEqual(run)
        expect(yield* runs.end({ id, error: 'late' })).toEqual(run)
      }),
  ],
  [
    'a branch is merged while a user writes in it: the edit is in main, or it is rejected',
    (name, nth) =>
      Effect.gen(function* () {
        const { tank } = yield* newFleet(name)
        const of = yield* personsBranch(name)
        yield* of.update('datastore', tank.id, { comment: 'mine' })
        const [merged, edited] = yield* together(nth, merge(of.id), of.update('datastore', tank.id, { path: '/late' }))
        expect(failure(merged)).toBeNull()
        expect([null, 'BranchNotOpen']).toContain(failure(edited))
        expect(yield* tankOf(tank.id)).toEqual({
          comment: 'mine',
          path: Either.isRight(edited) ? '/late' : tank.facts.path,
        })
        expect((yield* branch(of.id)).status).toBe('merged')
      }),
  ],
  [
    'a branch is merged while a user writes the same field of main: the edit stays, or the merge has a conflict',
    (name, nth) =>
      Effect.gen(function* () {
        const edits = yield* main
        const { tank } = yield* newFleet(name)
        const of = yield* personsBranch(name)
        yield* of.update('datastore', tank.id, { comment: 'mine' })
        const [merged, edited] = yield* together(
          nth,
          merge(of.id),
          edits.update('datastore', tank.id, { comment: 'theirs' }),
        )
        expect(Either.getOrThrow(edited)).toBe(true)
        expect((yield* tankOf(tank.id))?.comment).toBe('theirs')
        if (Either.isRight(merged)) expect((yield* branch(of.id)).status).toBe('merged')
        else {
          expect(failure(merged)).toBe('BranchInConflict')
          expect(yield* conflictsOf(of.id)).toMatchObject([{ kind: 'update_update', main: 'theirs', branch: 'mine' }])
        }
      }),
  ],
  [
    'a branch is merged when a sync lands the same field: what the source says stays, or the merge asks about it',
    (name, nth) =>
      Effect.gen(function* () {
        const { server, snapshots, snapshot } = yield* newFleet(name)
        const { id, facts } = snapshot(0)
        const of = yield* personsBranch(name)
        yield* of.update('snapshot', id, { comment: 'mine' })
        const changes = [
          change('snapshot', id, facts, { comment: 'source' }),
          create('snapshot', snapshotFacts(server, '100', may(9))),
          remove('snapshot', snapshot(1).id, snapshot(1).facts),
        ]
        const [merged, landed] = yield* together(
          nth,
          merge(of.id),
          landOnce(snapshots, [{ model: 'snapshot', changes }]),
        )
        expect(failure(landed)).toBeNull()
        expect([null, 'BranchInConflict']).toContain(failure(merged))
        expect(yield* rows(`select comment from snapshots where server_id = ${server} order by backup_time`)).toEqual([
          { comment: 'source' },
          { comment: '' },
          { comment: '' },
        ])
        expect((yield* branch(of.id)).status).toBe(Either.isRight(merged) ? 'merged' : 'in_review')
        yield* countsAreTrue(server)
      }),
  ],
  [
    'a branch that changes a snapshot is merged when a sync lands its deletion: it is gone, and is not brought back',
    (name, nth) =>
      Effect.gen(function* () {
        const { server, snapshots, snapshot } = yield* newFleet(name)
        const { id, facts } = snapshot(0)
        const of = yield* personsBranch(name)
        yield* of.update('snapshot', id, { comment: 'mine' })
        const deleting = landOnce(snapshots, [{ model: 'snapshot', changes: [remove('snapshot', id, facts)] }])
        const [merged, landed] = yield* together(nth, merge(of.id), deleting)
        expect(failure(landed)).toBeNull()
        expect([null, 'BranchInConflict']).toContain(failure(merged))
        expect(yield* rows(`select id from snapshots where server_id = ${server} order by id`)).toEqual([
          { id: snapshot(1).id },
          { id: snapshot(2).id },
        ])
        yield* countsAreTrue(server)
      }),
  ],
  [
    'a branch is approved when it is merged: it lands only as approved',
    (name, nth) =>
      Effect.gen(function* () {
        const branches = yield* Branches
        const { tank } = yield* newFleet(name)
        const of = yield* personsBranch(name)
        yield* of.update('datastore', tank.id, { comment: 'mine' })
        const { revision } = yield* branches.check({ id: of.id })
        const merging = branches.merge({ id: of.id, commit: true, by: actor, at, approval: true })
        const [merged, approved] = yield* together(
          nth,
          merging,
          branches.approve({ id: of.id, revision, user: 'bob', at }),
        )
        expect(failure(approved)).toBeNull()
        expect([null, 'BranchNotApproved']).toContain(failure(merged))
        expect((yield* tankOf(tank.id))?.comment).toBe(Either.isRight(merged) ? 'mine' : '')
        if (Either.isLeft(merged)) yield* merging
        expect((yield* tankOf(tank.id))?.comment).toBe('mine')
      }),
  ],
  [
    'a branch is approved while a user writes in it: an edit that was not approved does not land',
    (name, nth) =>
      Effect.gen(function* () {
        const branches = yield* Branches
        const { tank } = yield* newFleet(name)
        const of = yield* personsBranch(name)
        yield* of.update('datastore', tank.id, { comment: 'looked at' })
        const { revision } = yield* branches.check({ id: of.id })
        const [approved, edited] = yield* together(
          nth,
          branches.approve({ id: of.id, revision, user: 'bob', at }),
          of.update('datastore', tank.id, { comment: 'not looked at' }),
        )
        expect(failure(edited)).toBeNull()
        expect([null, 'ApprovalNotAllowed']).toContain(failure(approved))
        const rejected = yield* Effect.flip(branches.merge({ id: of.id, commit: true, by: actor, at, approval: true }))
        expect(rejected._tag).toBe('BranchNotApproved')
        expect((yield* tankOf(tank.id))?.comment).toBe('')
      }),
  ],
  [
    'a branch is closed when it is merged: one of the two happens, and the other is told',
    (name, nth) =>
      Effect.gen(function* () {
        const branches = yield* Branches
        const { tank } = yield* newFleet(name)
        const of = yield* personsBranch(name)
        yield* of.update('datastore', tank.id, { comment: 'mine' })
        const [merged, closed] = yield* together(nth, merge(of.id), branches.close({ id: of.id, status: 'closed' }))
        expect([failure(merged), failure(closed)].toSorted()).toEqual(['BranchNotOpen', null])
        expect((yield* branch(of.id)).status).toBe(Either.isRight(merged) ? 'merged' : 'closed')
        expect((yield* tankOf(tank.id))?.comment).toBe(Either.isRight(merged) ? 'mine' : '')
      }),
  ],
  [
    'two people resolve one conflict: the resolution is that of one of them, whole',
    (name, nth) =>
      Effect.gen(function* () {
        const branches = yield* Branches
        const edits = yield* main
        const { tank } = yield* newFleet(name)
        const of = yield* personsBranch(name)
        yield* of.update('datastore', tank.id, { comment: 'mine' })
        yield* edits.update('datastore', tank.id, { comment: 'theirs' })
        yield* branches.check({ id: of.id })
        const by = (user: string, choice: 'branch' | 'main') =>
          branches.resolve({ id: of.id, filter: {}, resolution: { choice }, user })
        const both = yield* together(nth, by('bob', 'branch'), by('eve', 'main'))
        expect(both.map(failure)).toEqual([null, null])
        const [conflict] = yield* conflictsOf(of.id)
        const resolution = conflict?.resolution as { readonly choice: string } | null | undefined
        expect(['bob branch', 'eve main']).toContain(`${conflict?.resolvedBy} ${resolution?.choice}`)
        yield* merge(of.id)
        expect((yield* tankOf(tank.id))?.comment).toBe(resolution?.choice === 'branch' ? 'mine' : 'theirs')
      }),
  ],
  [
    'a conflict is resolved when the branch is merged: it lands as resolved, or not at all',
    (name, nth) =>
      Effect.gen(function* () {
        const branches = yield* Branches
        const edits = yield* main
        const { tank } = yield* newFleet(name)
        const of = yield* personsBranch(name)
        yield* of.update('datastore', tank.id, { comment: 'mine' })
        yield* edits.update('datastore', tank.id, { comment: 'theirs' })
        yield* branches.check({ id: of.id })
        const [merged, resolved] = yield* together(nth, merge(of.id), answer(of.id, { choice: 'branch' }))
        expect(failure(resolved)).toBeNull()
        expect([null, 'BranchInConflict']).toContain(failure(merged))
        expect((yield* tankOf(tank.id))?.comment).toBe(Either.isRight(merged) ? 'mine' : 'theirs')
        if (Either.isLeft(merged)) yield* merge(of.id)
        expect((yield* tankOf(tank.id))?.comment).toBe('mine')
      }),
  ],
  [
    'two people open a branch of one name: one has it, the other is told that the name is taken',
    (name, nth) =>
      Effect.gen(function* () {
        const branches = yield* Branches
        const by = (user: string) =>
          branches.create({ name, kind: 'operator', description: user, user, runId: null, review: false })
        const both = yield* together(nth, by('bob'), by('eve'))
        expect(both.filter(Either.isLeft).map(failure)).toEqual(['BranchNameTaken'])
        const [opened] = both.filter(Either.isRight).map(({ right }) => right)
        const found = yield* branches.list({ names: [name], limit: 10, offset: 0 })
        expect(found).toEqual({ count: 1, rows: [opened] })
      }),
  ],
  [
    'two people revert one merge under one name: one branch is opened, whole',
    (name, nth) =>
      Effect.gen(function* () {
        const branches = yield* Branches
        const { tank } = yield* newFleet(name)
        const of = yield* personsBranch(name)
        yield* of.update('datastore', tank.id, { comment: 'mine' })
        yield* merge(of.id)
        const undo = branches.revert({ id: of.id, name: `undo ${name}`, user: 'bob', commit: true })
        const both = yield* together(nth, undo, undo)
        expect(both.filter(Either.isLeft).map(failure)).toEqual(['BranchNameTaken'])
        const [opened] = both.filter(Either.isRight).map(({ right }) => right)
        yield* merge(opened?.id ?? 0)
        expect((yield* tankOf(tank.id))?.comment).toBe('')
      }),
  ],
  [
    'a token is removed twice while it is used: one call reports the removal, and the token is not found afterwards',
    (name, nth) =>
      Effect.gen(function* () {
        const tokens = yield* ApiTokens
        const about = { username: 'bob', description: '', write_enabled: true, expires: null }
        const { id } = yield* tokens.create({ key: name, secretHash: 'none', ...about, actor })
        const twice = Effect.all([tokens.remove({ ids: [id], actor }), tokens.remove({ ids: [id], actor })], {
          concurrency: 'unbounded',
        })
        const [removed, used] = yield* together(
          nth,
          twice,
          Effect.all([tokens.used({ id }), tokens.find({ key: name })]),
        )
        expect(Either.getOrThrow(removed).toSorted()).toEqual([0, 1])
        expect(failure(used)).toBeNull()
        expect(yield* tokens.find({ key: name })).toEqual(Option.none())
      }),
  ],
  [
    'held deletions are confirmed and kept: the set says what one of the two has decided',
    (name, nth) =>
      Effect.gen(function* () {
        const { decide, set } = yield* heldFleet(name)
        const both = yield* together(nth, decide('ann', 'confirmed', 1), decide('bob', 'dismissed', 1))
        expect(both.map(failure)).toEqual([null, null])
        const { state, decided, revision } = yield* set
        expect(['ann confirmed', 'bob dismissed']).toContain(`${decided?.by} ${state}`)
        expect(revision).toBe(1)
      }),
  ],
  [
    'held deletions are confirmed when a landing holds one more: nothing goes that was not seen',
    (name, nth) =>
      Effect.gen(function* () {
        const { decide, set, land, left } = yield* heldFleet(name)
        const [decided, landed] = yield* together(
          nth,
          decide('ann', 'confirmed', 1),
          land([0, 1], { held: 'visibility_changed' }),
        )
        expect(failure(landed)).toBeNull()
        expect([null, 'HeldDeletionsChanged']).toContain(failure(decided))
        expect(yield* set).toMatchObject({ state: 'waiting', revision: 2, count: 2, decided: null })
        // A landing that was judged by the confirmation of the smaller set.
        yield* land([0, 1], { decided: { missing: 'deleted', revision: 1 } })
        expect(yield* left).toEqual(['missing', 'missing', 'listed'])
      }),
  ],
  [
    'a confirmation is taken back when a landing carries it out: the rows go, or they are kept',
    (name, nth) =>
      Effect.gen(function* () {
        const { decide, set, land, left } = yield* heldFleet(name)
        yield* decide('ann', 'confirmed', 1)
        const [kept, landed] = yield* together(
          nth,
          decide('bob', 'dismissed', 1),
          land([0], { decided: { missing: 'deleted', revision: 1 } }),
        )
        expect(failure(landed)).toBeNull()
        if (Either.isRight(kept)) {
          expect(Either.getOrThrow(landed)).toMatchObject({ deleted: 0 })
          expect(yield* left).toEqual(['missing', 'listed', 'listed'])
          expect(yield* set).toMatchObject({ state: 'dismissed', decided: { by: 'bob' } })
        } else {
          expect(failure(kept)).toBe('HeldDeletionsNotFound')
          expect(Either.getOrThrow(landed)).toMatchObject({ deleted: 1 })
          expect(yield* left).toEqual(['listed', 'listed'])
        }
      }),
  ],
  [
    'a server is deleted when a scope of it lands: nothing of it is left',
    (name, nth) =>
      Effect.gen(function* () {
        const edits = yield* main
        const { server, snapshots, stores, snapshot } = yield* newFleet(name)
        const changes = [
          create('snapshot', snapshotFacts(server, '100', may(9))),
          change('snapshot', snapshot(0).id, snapshot(0).facts, { comment: 'source' }),
        ]
        const landing = Effect.all(
          [landOnce(snapshots, [{ model: 'snapshot', changes }]), landOnce(stores, [])].map(Effect.either),
          { concurrency: 'unbounded' },
        )
        const [deleted, landed] = yield* together(nth, edits.remove('server', server), landing)
        expect(Either.getOrThrow(deleted)).toBe(true)
        for (const one of Either.getOrThrow(landed)) expect([null, 'ChangeSetClosed']).toContain(failure(one))
        yield* nothingLeft(server)
      }),
  ],
  [
    'a server is deleted when a scope of it is staged and its health is recorded: nothing of it is left',
    (name, nth) =>
      Effect.gen(function* () {
        const edits = yield* main
        const { server, stores, tank } = yield* newFleet(name)
        const { id } = yield* newBranch(name)
        const part = {
          model: 'datastore',
          changes: [change('datastore', tank.id, tank.facts, { comment: 'a' })],
        } as const
        const working = Effect.all(
          [
            // A change, then none: an entry that leaves the branch is written to the scope in main.
            Effect.either(Effect.zip(stageOnce(id, stores, [part]), stageOnce(id, stores, []))),
            Effect.either(
              (yield* ServerObservations).record({
                serverId: server,
                health: { ...neverContacted, status: 'unreachable' },
              }),
            ),
          ],
          { concurrency: 'unbounded' },
        )
        const [deleted, worked] = yield* together(nth, edits.remove('server', server), working)
        expect(Either.getOrThrow(deleted)).toBe(true)
        const [staged, recorded] = Either.getOrThrow(worked)
        expect([null, 'ChangeSetClosed']).toContain(failure(staged))
        expect(failure(recorded)).toBeNull()
        yield* nothingLeft(server)
      }),
  ],
]

/** No table of main has a row of the server. */
const nothingLeft = (server: number) =>
  Effect.gen(function* () {
    const children = [
      'datastores',
      'namespaces',
      'groups',
      'snapshots',
      'jobs',
      'scopes',
      'held_deletions',
      'server_observations',
    ]
    for (const table of children) {
      expect([table, yield* rows(`select * from ${table} where server_id = ${server}`)]).toEqual([table, []])
    }
  })

/** A fleet of three snapshots of which the list lacks the first, held back at revision 1. */
const heldFleet = (name: string) =>
  Effect.gen(function* () {
    const held = yield* HeldDeletionsStore
    const { server, snapshots, snapshot } = yield* newFleet(name)
    const land = (lacked: ReadonlyArray<number>, more: Partial<Landing>) => {
      const changes = lacked.map((nth) => remove('snapshot', snapshot(nth).id, snapshot(nth).facts))
      return landOnce(snapshots, [{ model: 'snapshot', changes }], more)
    }
    yield* land([0], { held: 'visibility_changed' })
    const [row] = yield* rows<{ id: number }>(`select id from held_deletions where server_id = ${server}`)
    const id = row?.id ?? 0
    return {
      land,
      decide: (user: string, state: 'confirmed' | 'dismissed', revision: number) =>
        held.decide({ id, state, revision, user }),
      set: Effect.map(held.get({ id, runId: null }), Option.getOrThrow),
      left: Effect.map(
        rows<{ presence: string }>(`select presence from snapshots where server_id = ${server} order by backup_time`),
        (all) => all.map(({ presence }) => presence),
      ),
    }
  })

describe.each(engines)('twenty times at one moment, on $engine', ({ engine, migrated }) => {
  const stores = Layer.mergeAll(inventoryLayer, queueLayer, accountsLayer)
  const runtime = ManagedRuntime.make(Layer.provideMerge(stores, migrated))
  afterAll(() => runtime.dispose())

  test.each(races)('%s', async (title, round) => {
    const place = races.findIndex(([known]) => known === title)
    for (let nth = 0; nth < roundsOn(engine); nth++) await runtime.runPromise(round(`race-${place}-${nth}`, nth))
  })
})
