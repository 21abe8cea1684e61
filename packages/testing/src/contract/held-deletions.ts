import type { Scope } from '@netbox-pbs/core'
import { HeldDeletionsStore, Inventory } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { expect, test } from 'vitest'
import { type InventoryUnderTest, newRun, newScope, removeServer, renameServer } from './fleet.ts'
import { collect, create, jobFacts, landOnce, remove, rootOf } from './landing.ts'

const sets = <A, E>(use: (sets: typeof HeldDeletionsStore.Service) => Effect.Effect<A, E>) =>
  Effect.flatMap(HeldDeletionsStore, use)

const decide = (id: number, state: 'confirmed' | 'dismissed', revision: number | null = null) =>
  sets((held) => held.decide({ id, state, revision, user: 'ann' }))

/** A scope as `newScope` gives it, with its held deletions. They are read by the id that they had first. */
const heldScope = (name: string, days: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const scope = yield* newScope(name, days)
    let id = 0
    const removed = Effect.gen(function* () {
      const { rows } = yield* sets((held) => held.list({ runId: null, limit: 1000, offset: 0 }))
      id = rows.find((set) => 'server' in set.scope && set.scope.server === name)?.id ?? id
      return yield* sets((held) => held.get({ id, runId: null }))
    })
    return { ...scope, removed, set: Effect.map(removed, Option.getOrThrow) }
  })

/** The contract of `HeldDeletionsStore`, and of the landings that add and remove held deletions. */
export const heldDeletionsContract = ({ run }: InventoryUnderTest): void => {
  test('a landing that holds makes a set, later ones refresh it, and each of their runs lists it', async () => {
    await run(
      Effect.gen(function* () {
        const { scope, lacks, land, set, state } = yield* heldScope('made', [1, 2, 3])
        const [first, second] = [yield* newRun, yield* newRun]
        const at = '2026-06-02T00:00:00Z'
        yield* land([lacks(1, 2)], { held: 'too_many', runId: first, at })
        const made = yield* set
        expect(made).toEqual({
          id: expect.any(Number),
          scope,
          state: 'waiting',
          revision: 1,
          reason: 'too_many',
          visibility: 'wide',
          kept: false,
          count: 2,
          since: at,
          runId: first,
          decided: null,
        })
        expect((yield* state).set).toMatchObject({
          state: 'waiting',
          revision: 1,
          reason: 'too_many',
          visibility: 'wide',
          kept: false,
        })
        yield* land([lacks(1, 2)], { held: 'too_many', runId: second, at: '2026-06-03T00:00:00Z' })
        expect(yield* set).toEqual({ ...made, runId: second })
        for (const runId of [first, second]) {
          const page = yield* sets((held) => held.list({ runId, limit: 10, offset: 0 }))
          expect(page).toEqual({ count: 1, rows: [{ ...made, runId: second }] })
        }
        expect(yield* sets((held) => held.get({ id: made.id, runId: 2 ** 40 }))).toEqual(Option.none())
      }),
    )
  })

  test('it has a new revision when it grows or is held under another visibility, none when it shrinks, and ends with its last row', async () => {
    await run(
      Effect.gen(function* () {
        const { lacks, again, land, set, removed } = yield* heldScope('grows', [1, 2, 3, 4])
        const held = 'too_many' as const
        yield* land([lacks(1, 2)], { held })
        yield* land([lacks(2), again(1)], { held })
        expect(yield* set).toMatchObject({ count: 1, revision: 1 })
        yield* land([lacks(2, 3)], { held })
        expect(yield* set).toMatchObject({ count: 2, revision: 2 })
        yield* land([lacks(2, 3)], { held: 'visibility_changed', visibility: 'narrow' })
        expect(yield* set).toMatchObject({ count: 2, revision: 3, reason: 'visibility_changed', visibility: 'narrow' })
        yield* land([again(2, 3)])
        expect(yield* removed).toEqual(Option.none())
      }),
    )
  })

  test('confirmed rows are deleted, and rows missing since then are held again', async () => {
    await run(
      Effect.gen(function* () {
        const { lacks, land, left, set } = yield* heldScope('confirmed', [1, 2, 3, 4])
        yield* land([lacks(1, 2)], { held: 'too_many' })
        const { id, revision } = yield* set
        expect(yield* decide(id, 'confirmed', revision)).toMatchObject({
          state: 'confirmed',
          decided: { by: 'ann', count: 2, at: expect.stringMatching(/Z$/) },
        })
        const at = '2026-06-09T00:00:00Z'
        const decided = { missing: 'deleted', revision } as const
        expect(yield* land([lacks(1, 2, 3)], { held: 'unconfirmed', decided, at })).toMatchObject({
          deleted: 2,
          held_back: 1,
        })
        expect(yield* left).toEqual(['3 missing', '4 listed'])
        expect(yield* set).toMatchObject({ id, state: 'waiting', count: 1, revision: 2, since: at, decided: null })
      }),
    )
  })

  test('a decision that was taken after the landing was judged waits for the next one', async () => {
    await run(
      Effect.gen(function* () {
        const { lacks, land, left, set } = yield* heldScope('raced', [1, 2, 3, 4])
        yield* land([lacks(1)], { held: 'visibility_changed' })
        const { id } = yield* set
        yield* decide(id, 'dismissed')
        // Judged while the set waited: all would go.
        expect(yield* land([lacks(1, 2)])).toMatchObject({ deleted: 1, held_back: 0 })
        expect(yield* left).toEqual(['1 missing', '3 listed', '4 listed'])
        // Judged as confirmed, but taken back since.
        expect(yield* land([lacks(1)], { decided: { missing: 'deleted', revision: 1 } })).toMatchObject({ deleted: 0 })
        yield* decide(id, 'confirmed')
        // Judged as dismissed, but confirmed since.
        yield* land([lacks(1)], { decided: { missing: 'kept', revision: 1 } })
        expect(yield* left).toEqual(['1 missing', '3 listed', '4 listed'])
        expect(yield* set).toMatchObject({ state: 'confirmed', revision: 1 })
        yield* land([lacks(1)], { decided: { missing: 'deleted', revision: 1 } })
        expect(yield* left).toEqual(['3 listed', '4 listed'])
      }),
    )
  })

  test('a set that grew before its confirmation was carried out waits again', async () => {
    await run(
      Effect.gen(function* () {
        const { lacks, land, left, set } = yield* heldScope('outgrown', [1, 2, 3])
        yield* land([lacks(1)], { held: 'visibility_changed' })
        const { id } = yield* set
        yield* decide(id, 'confirmed')
        yield* land([lacks(1, 2)], { held: 'visibility_changed' })
        expect(yield* set).toMatchObject({ state: 'waiting', revision: 2, count: 2, decided: null })
        yield* land([lacks(1, 2)], { decided: { missing: 'deleted', revision: 1 } })
        expect(yield* left).toEqual(['1 missing', '2 missing', '3 listed'])
      }),
    )
  })

  test('dismissed rows stay and count as held back no more; the visibility of the list is stored; growing wakes the set', async () => {
    await run(
      Effect.gen(function* () {
        const { lacks, land, left, set, state } = yield* heldScope('dismissed', [1, 2, 3, 4])
        const visibility = 'narrow'
        yield* land([lacks(1)], { held: 'visibility_changed', visibility })
        expect((yield* state).visibility).toBe('wide')
        yield* decide((yield* set).id, 'dismissed')
        const decided = { missing: 'kept', revision: 1 } as const
        expect(yield* land([lacks(1, 2)], { decided, visibility })).toMatchObject({ deleted: 1, held_back: 0 })
        expect((yield* state).visibility).toBe('narrow')
        expect(yield* set).toMatchObject({ state: 'dismissed', count: 1, revision: 1 })
        expect(yield* land([lacks(1, 3)], { decided, visibility, held: 'too_many' })).toMatchObject({ held_back: 2 })
        expect(yield* left).toEqual(['1 missing', '3 missing', '4 listed'])
        expect(yield* set).toMatchObject({ state: 'waiting', kept: true, count: 2, revision: 2, decided: null })
      }),
    )
  })

  test('one of two decisions at once is taken; the other is told so', async () => {
    await run(
      Effect.gen(function* () {
        const { lacks, land, set } = yield* heldScope('twice', [1, 2])
        yield* land([lacks(1)], { held: 'visibility_changed' })
        const { id, revision } = yield* set
        const twice = yield* Effect.all(
          [Effect.either(decide(id, 'confirmed', revision)), Effect.either(decide(id, 'confirmed', revision))],
          { concurrency: 2 },
        )
        expect(twice.map(({ _tag }) => _tag).toSorted()).toEqual(['Left', 'Right'])
        expect(twice.find(({ _tag }) => _tag === 'Left')).toMatchObject({
          left: { _tag: 'HeldDeletionsChanged', reason: 'decided', set: { id, state: 'confirmed' } },
        })
        expect(yield* Effect.flip(decide(id, 'dismissed', 9))).toMatchObject({ reason: 'another_revision' })
      }),
    )
  })

  test('a set is gone with its server, and cannot be decided once its rows are', async () => {
    await run(
      Effect.gen(function* () {
        const { server, lacks, land, set, removed } = yield* heldScope('doomed', [1, 2])
        yield* land([lacks(1)], { held: 'visibility_changed' })
        const { id } = yield* set
        yield* removeServer(server)
        expect(yield* removed).toEqual(Option.none())
        expect(yield* Effect.flip(decide(id, 'confirmed'))).toMatchObject({ _tag: 'HeldDeletionsNotFound', id })
        expect(yield* Effect.flip(decide(2 ** 60, 'confirmed'))).toMatchObject({ _tag: 'HeldDeletionsNotFound' })
      }),
    )
  })

  test('what waits for a decision is counted over all scopes, but not what waits for rows below it', async () => {
    await run(
      Effect.gen(function* () {
        const before = yield* sets((held) => held.waiting())
        const { server, lacks, land } = yield* heldScope('counted', [1, 2, 3])
        yield* land([lacks(1, 2)], { held: 'visibility_changed' })
        const scope: Scope = { resource: 'jobs', server: 'counted', job_type: 'verify' }
        const job = jobFacts(server, 'v1')
        yield* landOnce(scope, [{ model: 'job', changes: [create('job', job)] }])
        const [row] = yield* collect((yield* Inventory).jobs({ serverId: server, jobType: 'verify' }))
        const removed = { model: 'job', changes: [remove('job', row?.id ?? 0, job)] } as const
        yield* landOnce(scope, [{ ...removed, held: 'children_held' }])
        expect(yield* sets((held) => held.waiting())).toBe(before + 2)
        yield* landOnce(scope, [removed], { held: 'visibility_changed' })
        expect(yield* sets((held) => held.waiting())).toBe(before + 3)
        const all = yield* sets((held) => held.list({ runId: null, limit: 100, offset: 0 }))
        const here = all.rows.filter((found) => 'server' in found.scope && found.scope.server === 'counted')
        expect(here.map((found) => [found.scope.resource, found.count])).toEqual([
          ['snapshots', 2],
          ['jobs', 1],
        ])
        const paged = yield* sets((held) => held.list({ runId: null, limit: 1, offset: 1 }))
        expect(paged).toEqual({ count: all.count, rows: all.rows.slice(1, 2) })
      }),
    )
  })

  test('a confirmed group goes with its rows', async () => {
    await run(
      Effect.gen(function* () {
        const { lacks, groupRemoved, land, set, groups } = yield* heldScope('grouped', [1, 2])
        yield* land([lacks(1, 2), groupRemoved], { held: 'emptied' })
        yield* decide((yield* set).id, 'confirmed')
        yield* land([lacks(1, 2), groupRemoved], { decided: { missing: 'deleted', revision: 1 } })
        expect(yield* groups).toEqual([])
      }),
    )
  })

  test('a sample has ids of the missing rows, no more than asked for', async () => {
    await run(
      Effect.gen(function* () {
        const { id, lacks, land, set } = yield* heldScope('sampled', [1, 2, 3])
        yield* land([lacks(1, 2)], { held: 'too_many' })
        const sample = (limit: number) =>
          Effect.flatMap(set, (found) => sets((held) => held.sample({ id: found.id, limit })))
        expect((yield* sample(10)).toSorted((a, b) => a - b)).toEqual([id(1), id(2)])
        expect((yield* sample(1)).length).toBe(1)
        expect(yield* sets((held) => held.sample({ id: 2 ** 40, limit: 10 }))).toEqual([])
      }),
    )
  })

  test('a confirmation can be withdrawn by dismissing, and a set follows the name of its server', async () => {
    await run(
      Effect.gen(function* () {
        const { server, lacks, land, set } = yield* heldScope('withdrawn', [1, 2])
        yield* land([lacks(1)], { held: 'too_many' })
        const { id } = yield* set
        yield* decide(id, 'confirmed')
        yield* renameServer(server, 'withdrawn later')
        expect(yield* decide(id, 'dismissed')).toEqual({
          ...(yield* set),
          scope: rootOf('withdrawn later'),
          state: 'dismissed',
          kept: true,
          decided: { by: 'ann', count: 1, at: expect.stringMatching(/Z$/) },
        })
        expect(yield* Effect.flip(decide(id, 'dismissed'))).toMatchObject({
          _tag: 'HeldDeletionsChanged',
          reason: 'decided',
        })
      }),
    )
  })
}
