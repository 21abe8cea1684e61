import { noRows, type RowCounts, type Scope } from '@netbox-pbs/core'
import { ChangeSetClosed, ChangeSets, Inventory, type Landing, Runs, ServerRenamed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { expect, test } from 'vitest'
import { type InventoryUnderTest, newRun, newScope, removeServer, renameServer } from './fleet.ts'
import { landingContract } from './land-scope.ts'
import { appendAll, create, jobFacts, may, openFor, rootOf } from './landing.ts'
import { namesInUseContract } from './names-in-use.ts'
import { stagingContract } from './stage-scope.ts'

/** Runs that no store has recorded. */
let unrecorded = 700_000

/** The contract of `ChangeSets`. */
export const changeSetsContract = (underTest: InventoryUnderTest): void => {
  const { run } = underTest
  const landing = (changeSet: number, scope: Scope, runId: number): Landing => ({
    ...{ changeSet, scope, runId, at: may(30), visibility: null, held: null, listed: true, record: null },
  })

  test('a run that opens a change set again closes the earlier one, and no other', async () => {
    await run(
      Effect.gen(function* () {
        const changeSets = yield* ChangeSets
        const { scope, adds, left } = yield* newScope('fenced', [1])
        const [runId, otherRun] = [unrecorded++, unrecorded++]
        const zombie = yield* openFor(runId, scope)
        yield* appendAll(zombie, scope, [adds(2)])
        const other = yield* openFor(otherRun, scope)
        const heir = yield* openFor(runId, scope)
        const closed = new ChangeSetClosed({ changeSet: zombie })
        expect(yield* Effect.flip(appendAll(zombie, scope, [adds(2)]))).toEqual(closed)
        expect(
          yield* Effect.flip(changeSets.append({ changeSet: zombie, scope, model: 'snapshot', changes: [] })),
        ).toEqual(closed)
        expect(yield* Effect.flip(changeSets.land(landing(zombie, scope, runId)))).toEqual(closed)
        expect(yield* changeSets.land(landing(heir, scope, runId))).toEqual(noRows)
        expect(yield* changeSets.land(landing(other, scope, otherRun))).toEqual(noRows)
        expect(yield* left).toEqual(['1 listed'])
      }),
    )
  })

  test('a closed change set takes and lands nothing, and its changes are dropped', async () => {
    await run(
      Effect.gen(function* () {
        const changeSets = yield* ChangeSets
        const { scope, adds, left } = yield* newScope('ended', [1])
        const runId = unrecorded++
        const changeSet = yield* openFor(runId, scope)
        yield* appendAll(changeSet, scope, [adds(2)])
        yield* changeSets.close({ changeSet })
        const closed = new ChangeSetClosed({ changeSet })
        expect(yield* Effect.flip(appendAll(changeSet, scope, [adds(2)]))).toEqual(closed)
        expect(yield* Effect.flip(changeSets.land(landing(changeSet, scope, runId)))).toEqual(closed)
        yield* changeSets.close({ changeSet })
        expect(yield* left).toEqual(['1 listed'])
      }),
    )
  })

  test('scopes of one change set land each on its own, and only once', async () => {
    await run(
      Effect.gen(function* () {
        const changeSets = yield* ChangeSets
        const { server, scope, adds, left } = yield* newScope('parts', [1])
        const jobs = { resource: 'jobs', server: 'parts', job_type: 'verify' } as const
        const runId = unrecorded++
        const changeSet = yield* openFor(runId, scope)
        yield* appendAll(changeSet, scope, [adds(2)])
        yield* appendAll(changeSet, jobs, [{ model: 'job', changes: [create('job', jobFacts(server, 'nightly'))] }])
        yield* appendAll(changeSet, scope, [adds(3)])
        expect(yield* left).toEqual(['1 listed'])
        expect(yield* changeSets.land(landing(changeSet, scope, runId))).toEqual({ ...noRows, created: 2 })
        expect(yield* changeSets.land(landing(changeSet, scope, runId))).toEqual(noRows)
        expect(yield* left).toEqual(['1 listed', '2 listed', '3 listed'])
        expect(yield* changeSets.land(landing(changeSet, jobs, runId))).toEqual({ ...noRows, created: 1 })
      }),
    )
  })

  test('a dropped scope lands without what it had, and takes more', async () => {
    await run(
      Effect.gen(function* () {
        const changeSets = yield* ChangeSets
        const { scope, adds, left } = yield* newScope('dropped', [1])
        const runId = unrecorded++
        const changeSet = yield* openFor(runId, scope)
        yield* appendAll(changeSet, scope, [adds(2)])
        yield* changeSets.dropScope({ changeSet, scope })
        expect(yield* changeSets.land(landing(changeSet, scope, runId))).toEqual(noRows)
        expect(yield* left).toEqual(['1 listed'])
        yield* appendAll(changeSet, scope, [adds(3)])
        expect(yield* changeSets.land(landing(changeSet, scope, runId))).toEqual({ ...noRows, created: 1 })
      }),
    )
  })

  test('a scope to which nothing was appended lands as a list that has no news', async () => {
    await run(
      Effect.gen(function* () {
        const { land, state, left } = yield* newScope('quiet', [1, 2])
        const before = yield* state
        expect(yield* land([], { at: '2026-06-20T00:00:00Z' })).toEqual(noRows)
        expect(yield* state).toEqual({ ...before, lastCompleteAt: '2026-06-20T00:00:00Z' })
        expect(yield* left).toEqual(['1 listed', '2 listed'])
      }),
    )
  })

  test('deleting a server closes the change set of its job', async () => {
    await run(
      Effect.gen(function* () {
        const changeSets = yield* ChangeSets
        const { server, scope } = yield* newScope('doomed', [1])
        const runId = unrecorded++
        const changeSet = yield* openFor(runId, scope)
        yield* removeServer(server)
        expect(yield* Effect.flip(changeSets.land(landing(changeSet, scope, runId)))).toEqual(
          new ChangeSetClosed({ changeSet }),
        )
      }),
    )
  })

  test('a server deleted and a state kept of its scopes go together', async () => {
    await run(
      Effect.gen(function* () {
        const { server, lacks, land, state, groups } = yield* newScope('gone', [1, 2])
        yield* land([lacks(1)], { held: 'too_many' })
        yield* removeServer(server)
        expect(yield* groups).toEqual([])
        expect(yield* state).toEqual({ visibility: null, lastCompleteAt: null, rows: 0, held: 0, set: null })
      }),
    )
  })

  test('what was read under an old name does not land, and what is read under the new one finds its scope again', async () => {
    await run(
      Effect.gen(function* () {
        const [changeSets, inventory] = [yield* ChangeSets, yield* Inventory]
        const { server, scope, adds, lacks, land, state, left } = yield* newScope('before', [1, 2])
        yield* land([lacks(1)], { held: 'too_many' })
        const known = yield* state
        const runId = unrecorded++
        const changeSet = yield* openFor(runId, scope)
        yield* appendAll(changeSet, scope, [adds(3)])
        yield* renameServer(server, 'after')
        const renamed = new ServerRenamed({ serverId: server, before: 'before', after: 'after' })
        expect(yield* Effect.flip(changeSets.land(landing(changeSet, scope, runId)))).toEqual(renamed)
        expect(yield* left).toEqual(['1 missing', '2 listed'])
        expect(yield* inventory.scopeState(rootOf('after'))).toEqual(known)
        expect(yield* inventory.serverName({ id: server })).toMatchObject({ value: 'after' })
        const again = yield* openFor(runId, rootOf('after'))
        yield* appendAll(again, rootOf('after'), [adds(3)])
        expect(yield* changeSets.land(landing(again, rootOf('after'), runId))).toEqual({ ...noRows, created: 1 })
      }),
    )
  })

  test('the run has the record of a scope that landed, with the touched rows', async () => {
    await run(
      Effect.gen(function* () {
        const [changeSets, runs] = [yield* ChangeSets, yield* Runs]
        const { server, scope, adds } = yield* newScope('recorded', [1])
        const id = yield* newRun
        const changeSet = yield* openFor(id, scope)
        yield* appendAll(changeSet, scope, [adds(2, 3)])
        const result = (counts: RowCounts) =>
          ({ scope, outcome: 'landed', reason: null, counts, started: may(30), ended: may(30) }) as const
        const recorded = Effect.map(runs.scopes({ id, limit: 10, offset: 0 }), ({ rows }) => rows)
        expect(yield* recorded).toEqual([])
        yield* changeSets.land({ ...landing(changeSet, scope, id), record: { serverId: server, result } })
        expect(yield* recorded).toEqual([result({ ...noRows, created: 2 })])
      }),
    )
  })

  landingContract(underTest)
  namesInUseContract(underTest)
  stagingContract(underTest)
}
