import {
  Branches,
  type ChangeSets,
  type Inventory,
  InventoryLists,
  type InventoryWrites,
  VersionChanged,
} from '@netbox-pbs/core/ports'
import { oneByOne, writesOneByOne } from '@netbox-pbs/testing'
import { Cause, Effect, Exit, Layer, ManagedRuntime, Option } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { newBranch, newFleet, rows } from './contract/branching.ts'
import { ada } from './contract/edits.ts'
import { engines } from './engines.ts'

/** Twenty of each race with NETBOX_PBS_RACES=all (`pnpm races`); else three. */
const rounds = process.env['NETBOX_PBS_RACES'] === 'all' ? 20 : 3
const writers = [1, 2, 3, 4]
let requests = 7_000_000
const actor = () => ada(++requests)

type Model = 'server' | 'datastore' | 'snapshot'

describe.each(engines)('a write that asks for a version on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(
    effect: Effect.Effect<A, E, Branches | InventoryWrites | InventoryLists | ChangeSets | Database | Inventory>,
  ) => runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  /** Main, or a new branch of a user, as its lists and writes. */
  const inventoryOf = (where: string, name: string) =>
    Effect.gen(function* () {
      if (where === 'main') return { lists: yield* InventoryLists, writes: yield* writesOneByOne }
      const { id } = yield* newBranch(name, 'operator')
      const { lists, writes } = (yield* Branches).overlay({ id })
      return { lists, writes: oneByOne(writes) }
    })
  type Place = Effect.Effect.Success<ReturnType<typeof inventoryOf>>
  const served = ({ lists }: Place, model: Model, id: number) =>
    Effect.map(lists.get({ model, id }), (found) => {
      const row = Option.getOrThrow(found)
      return { last_updated: row.last_updated, comment: 'comment' in row ? row.comment : '' }
    })
  const version = (place: Place, model: Model, id: number) =>
    Effect.map(served(place, model, id), (row) => row.last_updated)
  const outcome = <A, E>(effect: Effect.Effect<A, E>) =>
    Effect.map(Effect.exit(effect), (exit) =>
      Exit.isSuccess(exit) ? exit.value : Cause.squash(exit.cause) instanceof VersionChanged ? 'changed' : exit.cause,
    )
  const field = (model: Model, value: string) => (model === 'server' ? { host: value } : { comment: value })

  describe.each(['main', 'a branch'])('in %s', (where) => {
    test.each<Model>(['server', 'datastore', 'snapshot'])(
      'of four writers of one %s lets a single one write',
      async (model) => {
        await run(
          Effect.gen(function* () {
            const name = `${where}-${model}`
            const { server, tank, snapshot } = yield* newFleet(name)
            const id = { server, datastore: tank.id, snapshot: snapshot(0).id }[model]
            const place = yield* inventoryOf(where, name)
            for (let round = 0; round < rounds; round++) {
              const versions = [yield* version(place, model, id)]
              const outcomes = yield* Effect.all(
                writers.map((writer) =>
                  outcome(
                    place.writes.update({
                      model,
                      id,
                      values: field(model, `${round}-${writer}`),
                      actor: actor(),
                      versions,
                    }),
                  ),
                ),
                { concurrency: 'unbounded' },
              )
              expect(outcomes.toSorted()).toEqual(['changed', 'changed', 'changed', true].toSorted())
            }
          }),
        )
      },
    )

    test('loses no increment of writers who read, add one and write again', async () => {
      await run(
        Effect.gen(function* () {
          const { tank } = yield* newFleet(`${where}-count`)
          const place = yield* inventoryOf(where, `${where}-count`)
          const model = 'datastore'
          const id = tank.id
          const increment = Effect.gen(function* () {
            const { comment, last_updated } = yield* served(place, model, id)
            const values = { comment: String(Number(comment) + 1) }
            return yield* outcome(place.writes.update({ model, id, values, actor: actor(), versions: [last_updated] }))
          })
          let written = 0
          for (let round = 0; round < rounds; round++) {
            const outcomes = yield* Effect.all(
              writers.map(() => increment),
              { concurrency: 'unbounded' },
            )
            written += outcomes.filter((one) => one === true).length
          }
          expect(written).toBeGreaterThanOrEqual(rounds)
          expect((yield* served(place, model, id)).comment).toBe(String(written))
        }),
      )
    })

    test.each<Model>(['server', 'datastore', 'snapshot'])(
      'deletes no %s that was changed since it was read, and takes any of several versions',
      async (model) => {
        await run(
          Effect.gen(function* () {
            const name = `${where}-gone-${model}`
            const { server, tank, snapshot } = yield* newFleet(name)
            const id = { server, datastore: tank.id, snapshot: snapshot(0).id }[model]
            const place = yield* inventoryOf(where, name)
            const old = yield* version(place, model, id)
            const edit = { model, id, values: field(model, 'edited'), actor: actor() }
            expect(yield* place.writes.update({ ...edit, versions: ['other', old] })).toBe(true)
            const stale = yield* Effect.flip(place.writes.remove({ model, id, actor: actor(), versions: [old] }))
            expect(stale).toEqual(new VersionChanged({ version: yield* version(place, model, id), index: 0 }))
            expect(yield* outcome(place.writes.remove({ model, id, actor: actor(), versions: [] }))).toBe('changed')
            const versions = [yield* version(place, model, id)]
            expect(yield* place.writes.remove({ model, id, actor: actor(), versions })).toBe(true)
            expect(yield* place.writes.remove({ model, id, actor: actor(), versions })).toBe(false)
          }),
        )
      },
    )

    test('never gives a row the version of another content', async () => {
      await run(
        Effect.gen(function* () {
          const { tank } = yield* newFleet(`${where}-moves`)
          const place = yield* inventoryOf(where, `${where}-moves`)
          const seen = new Set<string>()
          for (let round = 0; round < rounds; round++) {
            yield* place.writes.update({
              model: 'datastore',
              id: tank.id,
              values: { comment: `${round}` },
              actor: actor(),
            })
            seen.add(yield* version(place, 'datastore', tank.id))
          }
          expect(seen.size).toBe(rounds)
        }),
      )
    })
  })

  test('in a branch sees that main has changed the row beneath', async () => {
    await run(
      Effect.gen(function* () {
        const { tank } = yield* newFleet('beneath')
        const main = yield* inventoryOf('main', '')
        const branch = yield* inventoryOf('a branch', 'beneath')
        const write = (place: Place, values: Readonly<Record<string, string>>, versions?: ReadonlyArray<string>) =>
          outcome(place.writes.update({ model: 'datastore', id: tank.id, values, actor: actor(), versions }))
        yield* write(branch, { comment: 'mine' })
        const versions = [yield* version(branch, 'datastore', tank.id)]
        yield* write(main, { path: '/theirs' })
        expect(yield* write(branch, { comment: 'late' }, versions)).toBe('changed')
        expect(yield* write(branch, { comment: 'now' }, [yield* version(branch, 'datastore', tank.id)])).toBe(true)
        // A main row that was changed a moment ago, by its clock later than the branch's transaction began.
        yield* rows(`update datastores set last_updated = clock_timestamp() + interval '1 hour' where id = ${tank.id}`)
        const ahead = [yield* version(branch, 'datastore', tank.id)]
        expect(yield* write(branch, { comment: 'one' }, ahead)).toBe(true)
        expect(yield* write(branch, { comment: 'two' }, ahead)).toBe('changed')
      }),
    )
  })
})
