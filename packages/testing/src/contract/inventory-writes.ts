import { Inventory, InventoryWrites, KeyTaken } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { expect, test } from 'vitest'
import { type InventoryUnderTest, newScope } from './fleet.ts'
import { serverFacts, serverIdOf } from './landing.ts'

const actor = { user: 'ada', requestId: '5c0f2f7e-0000-4000-8000-000000000002' }

/**
 * The contract of `InventoryWrites` as far as a sync needs it: the servers, and snapshots that a user adds, edits and
 * deletes. All models and columns have two adapters, which the tests of store-postgres compare.
 */
export const inventoryWritesContract = ({ run }: InventoryUnderTest): void => {
  const writes = <A, E>(use: (writes: typeof InventoryWrites.Service) => Effect.Effect<A, E>) =>
    Effect.flatMap(InventoryWrites, use)
  const server = (name: string) => ({ name, host: `${name}.example.com`, token_id: 'sync@pbs!main' })
  const create = (...names: ReadonlyArray<string>) =>
    writes((port) => port.create({ model: 'server', rows: names.map(server), actor }))
  const found = (id: number) => Effect.flatMap(Inventory, (inventory) => inventory.server({ id }))

  test('creates servers in the order given, with the defaults of what is left out', async () => {
    await run(
      Effect.gen(function* () {
        const [first = 0, second = 0] = yield* create('by a user', 'by a user next')
        expect(Option.getOrThrow(yield* found(first))).toMatchObject({
          id: first,
          presence: 'manual',
          facts: serverFacts('by a user', { version: '', timezone: '', endpoint_id: null, endpoint_state: 'none' }),
          pendingSince: null,
        })
        expect(Option.getOrThrow(yield* found(second)).facts.name).toBe('by a user next')
        expect(yield* create()).toEqual([])
      }),
    )
  })

  test('creates all rows or none, and says which one has a key that is taken', async () => {
    await run(
      Effect.gen(function* () {
        yield* create('taken')
        expect(yield* Effect.flip(create('free', 'taken'))).toEqual(new KeyTaken({ model: 'server', index: 1 }))
        expect(yield* Effect.flip(create('free', 'other', 'free'))).toEqual(new KeyTaken({ model: 'server', index: 2 }))
        expect([yield* serverIdOf('free'), yield* serverIdOf('other')]).toEqual([null, null])
      }),
    )
  })

  test('updates the given values, unless another row has the key or there is no such row', async () => {
    await run(
      Effect.gen(function* () {
        const [id = 0] = yield* create('updated', 'in the way')
        const update = (of: number, values: Readonly<Record<string, string>>) =>
          writes((port) => port.update({ model: 'server', id: of, values, actor }))
        const before = Option.getOrThrow(yield* found(id))
        expect(yield* update(id, { host: 'moved.example.com' })).toBe(true)
        const after = { ...before, facts: { ...before.facts, host: 'moved.example.com' } }
        expect(yield* found(id)).toEqual(Option.some(after))
        expect(yield* Effect.flip(update(id, { name: 'in the way' }))).toEqual(
          new KeyTaken({ model: 'server', index: 0 }),
        )
        expect(yield* found(id)).toEqual(Option.some(after))
        expect(yield* update(2 ** 40, { host: 'nowhere' })).toBe(false)
      }),
    )
  })

  test('deletes a server with all that belongs to it, once', async () => {
    await run(
      Effect.gen(function* () {
        const { server: id, groups } = yield* newScope('deleted', [1, 2])
        const remove = writes((port) => port.remove({ model: 'server', id, actor }))
        expect(yield* remove).toBe(true)
        expect([yield* found(id), yield* groups]).toEqual([Option.none(), []])
        expect(yield* remove).toBe(false)
        const inventory = yield* Inventory
        expect(yield* inventory.serverName({ id })).toEqual(Option.some('deleted'))
      }),
    )
  })

  test('remembers since when the endpoint of a server is pending, until it is not', async () => {
    await run(
      Effect.gen(function* () {
        const [id = 0] = yield* create('waiting')
        const since = writes((port) => port.pendingSince({ serverId: id }))
        const update = (values: Readonly<Record<string, string>>) =>
          writes((port) => port.update({ model: 'server', id, values, actor }))
        expect(yield* since).toEqual(Option.none())
        yield* update({ endpoint_state: 'pending' })
        const began = yield* since
        expect(began).toEqual(Option.some(expect.stringMatching(/Z$/)))
        yield* update({ host: 'other.example.com' })
        expect(yield* since).toEqual(began)
        yield* update({ endpoint_state: 'connected' })
        expect(yield* since).toEqual(Option.none())
      }),
    )
  })

  test('clears the digest of the group of a snapshot that is written', async () => {
    await run(
      Effect.gen(function* () {
        const { facts, id, frame, land, groups, left } = yield* newScope('edited', [1, 2])
        const digests = Effect.map(groups, (rows) => rows.map(({ digest }) => digest))
        const snapshot = { model: 'snapshot', actor } as const
        expect(yield* digests).toEqual(['first'])
        yield* writes((port) => port.update({ ...snapshot, id: id(1), values: { comment: 'mine' } }))
        expect(yield* digests).toEqual([null])
        yield* land([frame('second', 2)])
        yield* writes((port) => port.remove({ ...snapshot, id: id(1) }))
        expect([yield* digests, yield* left]).toEqual([[null], ['2 listed']])
        yield* land([frame('third', 1)])
        yield* writes((port) => port.create({ ...snapshot, rows: [facts(3)] }))
        expect([yield* digests, yield* left]).toEqual([[null], ['2 listed', '3 manual']])
      }),
    )
  })
}
