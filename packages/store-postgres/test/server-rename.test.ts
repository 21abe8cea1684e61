import type { Resolution } from '@netbox-pbs/core'
import {
  Branches,
  type ChangeSets,
  HeldDeletionsStore,
  type Inventory,
  type InventoryWrites,
  ScopeInReview,
} from '@netbox-pbs/core/ports'
import { change, landOnce, remove, rootOf, writesOneByOne } from '@netbox-pbs/testing'
import { Effect, Either, Layer, ManagedRuntime, Option } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import {
  actor,
  answer,
  check,
  conflictsOf,
  merge,
  newBranch,
  newFleet,
  revert,
  rows,
  stageOnce,
} from './contract/branching.ts'
import { engines } from './engines.ts'

/** When the server is renamed: `never` is what each other point is compared with. */
const points = [
  'before the branch stages anything',
  'between two scopes of the run',
  'while the question is not yet asked',
  'while the question has no answer',
  'after the answer',
  'after the merge',
  'before the revert is merged',
  'while the scopes stand under review',
  'while the branch of the review waits',
  'after the review',
] as const
type Point = (typeof points)[number]

const answers = { keep: { choice: 'main' }, delete: { choice: 'branch' }, 'no answer': null } as const satisfies Record<
  string,
  Resolution | null
>

/** With NETBOX_PBS_RACES=all (`pnpm races`) every answer at every point on both engines. */
const all = process.env['NETBOX_PBS_RACES'] === 'all'

describe.each(engines)('a rename of a server, on $engine', ({ engine, migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(
    effect: Effect.Effect<A, E, Branches | ChangeSets | InventoryWrites | HeldDeletionsStore | Database | Inventory>,
  ) => runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  const rename = (server: number, name: string) =>
    Effect.flatMap(writesOneByOne, (writes) => writes.update({ model: 'server', id: server, values: { name }, actor }))

  let lives = 0

  /**
   * All that is seen of a server, from the run that stages it in a branch to the end of the review
   * after the merge was undone. The server has no name in it.
   */
  const life = (given: Resolution | null, renamed: Point | 'never') =>
    Effect.gen(function* () {
      lives += 1
      const before = `before-${lives}`
      const after = `after-${lives}`
      let name = before
      let happened = false
      const seen: Array<unknown> = []
      const branches = yield* Branches
      const { server, snapshot, tank } = yield* newFleet(before)
      const at = (point: Point) =>
        Effect.gen(function* () {
          if (point !== renamed) return
          name = after
          happened = true
          expect(yield* rename(server, after)).toBe(true)
        })
      const snapshots = {
        model: 'snapshot',
        changes: [
          remove('snapshot', snapshot(0).id, snapshot(0).facts),
          remove('snapshot', snapshot(1).id, snapshot(1).facts),
          change('snapshot', snapshot(2).id, snapshot(2).facts, { comment: 'source' }),
        ],
      } as const
      const stores = {
        model: 'datastore',
        changes: [change('datastore', tank.id, tank.facts, { comment: 'source' })],
      } as const
      const look = Effect.fn(function* (id: number) {
        const conflicts = yield* conflictsOf(id)
        // The scope of a question is always shown under the name that the server has now.
        for (const { scope } of conflicts) expect(scope).toMatchObject({ server: name })
        const { status, changes, conflicts: open, review } = Option.getOrThrow(yield* branches.get({ id }))
        const requested = conflicts.map(({ kind, model, branch, resolution, title }) => [
          kind,
          model,
          branch,
          resolution,
          title,
        ])
        seen.push({ status, changes, open, review, requested })
      })
      const main = Effect.gen(function* () {
        seen.push(
          yield* rows(`select extract(day from backup_time at time zone 'UTC')::int as day, comment, presence from snapshots
            where server_id = ${server} order by 1`),
          yield* rows(`select name, comment from datastores where server_id = ${server} order by 1`),
          yield* rows(`select resource, visibility, review from scopes where server_id = ${server} order by 1`),
        )
      })
      const merging = Effect.fn(function* (id: number) {
        const merged = yield* Effect.either(merge(id))
        seen.push(
          Either.match(merged, {
            onLeft: (error) => [error._tag, 'conflicts' in error ? error.conflicts : null],
            onRight: ({ counts, skipped }) => [counts, skipped],
          }),
        )
        yield* look(id)
      })

      const ended = Effect.sync(() => {
        expect(happened).toBe(renamed !== 'never')
        return seen
      })

      const { id } = yield* newBranch(`${before} waits`)
      yield* at('before the branch stages anything')
      yield* stageOnce(id, { resource: 'datastores', server: name }, [stores])
      yield* at('between two scopes of the run')
      yield* stageOnce(id, rootOf(name), [snapshots], { held: 'too_many' })
      yield* at('while the question is not yet asked')
      yield* check(id)
      yield* look(id)
      yield* at('while the question has no answer')
      yield* merging(id)
      yield* merging(id)
      // A later run of the same scopes refreshes the branch that waits.
      const other = yield* newBranch(`${before} comes later`)
      const later = yield* stageOnce(other.id, rootOf(name), [snapshots], { held: 'too_many' })
      seen.push(later.branch === id)
      yield* branches.close({ id: other.id, status: 'no_changes' })
      if (given !== null) seen.push(yield* answer(id, given, { kinds: ['guard'] }))
      yield* at('after the answer')
      yield* merging(id)
      yield* main
      if (given === null) return yield* ended

      yield* at('after the merge')
      const reverting = yield* revert(id, `${before} undone`)
      yield* at('before the revert is merged')
      yield* check(reverting.id)
      yield* merging(reverting.id)
      yield* main
      yield* at('while the scopes stand under review')
      const stopped = yield* Effect.flip(landOnce({ resource: 'datastores', server: name }, [stores]))
      expect(stopped).toEqual(new ScopeInReview({ scope: { resource: 'datastores', server: name }, branch: null }))
      const reviewing = yield* newBranch(`${before} is reviewed`)
      yield* stageOnce(reviewing.id, { resource: 'datastores', server: name }, [stores])
      yield* stageOnce(reviewing.id, rootOf(name), [{ ...snapshots, changes: snapshots.changes.slice(2) }])
      yield* check(reviewing.id)
      yield* look(reviewing.id)
      yield* at('while the branch of the review waits')
      const waiting = yield* Effect.flip(landOnce({ resource: 'datastores', server: name }, [stores]))
      seen.push('branch' in waiting && waiting.branch === reviewing.id)
      yield* merging(reviewing.id)
      yield* main
      yield* at('after the review')
      const comment = {
        ...stores,
        changes: [change('datastore', tank.id, { ...tank.facts, comment: 'source' }, { comment: 'new' })],
      }
      seen.push(yield* landOnce({ resource: 'datastores', server: name }, [comment]))
      yield* main
      return yield* ended
    })

  const plain = new Map<string, Promise<unknown>>()
  /** The life of a server that is not renamed. */
  const unchanged = (given: Resolution | null): Promise<unknown> => {
    const key = given?.choice ?? 'none'
    const lived = plain.get(key) ?? run(life(given, 'never'))
    plain.set(key, lived)
    return lived
  }
  const names = (seen: unknown) => JSON.stringify(seen, null, 1).replaceAll(/(before|after)-\d+/g, '(the server)')

  // Without an answer there is no merge, so nothing after it. The answer that leads through all statements is tried at
  // every point, the other at every second; the embedded engine has the same statements, and goes to every third.
  const pointsOf = (name: string): ReadonlyArray<Point> => {
    const reached = name === 'no answer' ? points.slice(0, points.indexOf('after the merge')) : points
    if (all) return reached
    if (engine === 'pglite') return name === 'delete' ? reached.filter((_, nth) => nth % 3 === 0) : []
    return name === 'keep' ? reached.filter((_, nth) => nth % 2 === 1) : reached
  }
  const given = Object.entries(answers)
    .map(([name, answer]) => [name, answer, pointsOf(name)] as const)
    .filter(([, , reached]) => reached.length > 0)
  describe.each(given)('with %s to the guard', (_name, given, reached) => {
    test.each(reached)('%s changes nothing but the name', async (point) => {
      const renamed = await run(life(given, point))
      expect(names(renamed)).toBe(names(await unchanged(given)))
    })
  })

  test('leaves the unanswered question of the guard in the way of every merge', async () => {
    await run(
      Effect.gen(function* () {
        const { server, snapshots, snapshot } = yield* newFleet('asked', [1, 2, 3])
        const { id } = yield* newBranch('asked')
        const removed = [0, 1, 2].map((nth) => remove('snapshot', snapshot(nth).id, snapshot(nth).facts))
        yield* stageOnce(id, snapshots, [{ model: 'snapshot', changes: removed }], { held: 'emptied' })
        yield* check(id)
        yield* rename(server, 'asked again')
        for (let time = 0; time < 3; time++) {
          expect(yield* Effect.flip(merge(id))).toMatchObject({ _tag: 'BranchInConflict', conflicts: 1 })
          expect(yield* check(id)).toMatchObject({ status: 'in_review', conflicts: 1 })
        }
        expect(yield* rows(`select id from snapshots where server_id = ${server}`)).toHaveLength(3)
      }),
    )
  })

  test('lets a question that was never stored stop a merge', async () => {
    await run(
      Effect.gen(function* () {
        const { server, snapshots, snapshot } = yield* newFleet('unchecked')
        const { id } = yield* newBranch('unchecked')
        const removed = [0, 1, 2].map((nth) => remove('snapshot', snapshot(nth).id, snapshot(nth).facts))
        yield* stageOnce(id, snapshots, [{ model: 'snapshot', changes: removed }], { held: 'emptied' })
        expect(yield* Effect.flip(merge(id))).toMatchObject({ _tag: 'BranchInConflict', conflicts: 1 })
        expect(yield* rows(`select id from snapshots where server_id = ${server}`)).toHaveLength(3)
      }),
    )
  })

  test('a question whose server is not known is kept, and its branch refuses to merge with a sentence', async () => {
    await run(
      Effect.gen(function* () {
        const { server, snapshots, snapshot } = yield* newFleet('unknown')
        const { id } = yield* newBranch('unknown')
        const removed = [0, 1, 2].map((nth) => remove('snapshot', snapshot(nth).id, snapshot(nth).facts))
        yield* stageOnce(id, snapshots, [{ model: 'snapshot', changes: removed }], { held: 'emptied' })
        yield* check(id)
        yield* answer(id, { choice: 'branch' })
        // As the migration leaves a scope of which the log of changes no longer tells whose it was.
        yield* rows(
          `update branch_scopes set server_id = null, scope_key = '["snapshots","unknown","tank",""]' where branch_id = ${id}`,
        )
        for (let time = 0; time < 2; time++) {
          expect((yield* Effect.flip(merge(id))).message).toBe(
            `branch ${id} holds deletions in the snapshots of unknown/tank, but no server of that name is known: close the branch, and the next sync stages the present state of the source`,
          )
          expect(yield* check(id)).toMatchObject({ status: 'in_review', conflicts: 1 })
        }
        expect(yield* rows(`select id from snapshots where server_id = ${server}`)).toHaveLength(3)
        expect(yield* (yield* Branches).close({ id, status: 'closed' })).toMatchObject({ status: 'closed' })
      }),
    )
  })

  test.each(['waiting', 'dismissed', 'confirmed'] as const)('leaves held deletions %s', async (state) => {
    await run(
      Effect.gen(function* () {
        const ends = yield* Effect.forEach([false, true], (renamed) =>
          Effect.gen(function* () {
            lives += 1
            const { server, snapshot } = yield* newFleet(`before-${lives}`)
            const parts = [
              {
                model: 'snapshot',
                held: 'too_many',
                changes: [0, 1].map((nth) => remove('snapshot', snapshot(nth).id, snapshot(nth).facts)),
              },
            ] as const
            yield* landOnce(rootOf(`before-${lives}`), parts, { held: 'too_many', at: '2026-06-02T00:00:00Z' })
            const sets = yield* HeldDeletionsStore
            const [set] = yield* rows<{ id: number }>(`select id from held_deletions where server_id = ${server}`)
            const id = set?.id ?? 0
            if (state !== 'waiting') yield* sets.decide({ id, state, revision: null, user: 'ann' })
            if (renamed) yield* rename(server, `after-${lives}`)
            const name = renamed ? `after-${lives}` : `before-${lives}`
            const found = Option.getOrThrow(yield* sets.get({ id, runId: null }))
            expect(found.scope).toEqual(rootOf(name))
            const more = { held: 'too_many', at: '2026-06-03T00:00:00Z' } as const
            const counts = yield* landOnce(rootOf(name), parts, more)
            const left = yield* rows(`select presence from snapshots where server_id = ${server} order by backup_time`)
            const { id: _, scope: __, runId: ___, ...rest } = found
            return { ...rest, decided: found.decided?.by ?? null, counts, left }
          }),
        )
        expect(ends[1]).toEqual(ends[0])
      }),
    )
  })
})
