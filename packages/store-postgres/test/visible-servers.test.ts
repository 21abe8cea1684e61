import { type ListQuery, type ModelName, modelNames } from '@netbox-pbs/core'
import { Branches, Changes, InventoryLists, type Runs, visibleServers } from '@netbox-pbs/core/ports'
import { newBranch, newScope } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime, Option, Stream } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { engines } from './engines.ts'

describe.each(engines)('the servers that a user sees on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, ManagedRuntime.ManagedRuntime.Context<typeof runtime>>) =>
    runtime.runPromise(effect)
  /** Runs a read as a user who sees these servers. */
  const as = (servers: ReadonlyArray<number> | null) => Effect.locally(visibleServers, servers)

  let a: number
  let b: number
  beforeAll(async () => {
    a = (await run(newScope('a', [1, 2]))).server
    b = (await run(newScope('b', [1, 2, 3]))).server
  })
  afterAll(() => runtime.dispose())

  const everything = (model: ModelName, more: Partial<ListQuery> = {}): ListQuery => ({
    ...{ model, filters: [], search: null, order: [], page: { _tag: 'offset', limit: 100, offset: 0 } },
    ...more,
  })
  type Lists = Effect.Effect<InventoryLists['Type'], unknown, InventoryLists | Branches | Runs>
  const inMain: Lists = InventoryLists
  const inBranch: Lists = Effect.gen(function* () {
    const { id } = yield* newBranch(`seen ${Math.random()}`)
    return (yield* Branches).overlay({ id }).lists
  })

  describe.each([
    ['main', inMain],
    ['a branch', inBranch],
  ])('in %s', (_, inventory) => {
    test.each(modelNames)('are the only ones whose %s rows are listed, counted and found', async (model) => {
      const ids = (servers: ReadonlyArray<number> | null, more: Partial<ListQuery> = {}) =>
        run(
          Effect.flatMap(inventory, (lists) => lists.list(everything(model, more))).pipe(
            as(servers),
            Effect.map(({ count, rows }) => [count, rows.map(({ serverName }) => serverName)] as const),
          ),
        )
      const [all] = await ids(null)
      const [ofA, namesOfA] = await ids([a])
      const [ofB, namesOfB] = await ids([b])
      expect((ofA ?? 0) + (ofB ?? 0)).toBe(all)
      expect(new Set([...namesOfA, 'a'])).toEqual(new Set(['a']))
      expect(new Set([...namesOfB, 'b'])).toEqual(new Set(['b']))
      if (model === 'snapshot') expect([ofA, ofB]).toEqual([2, 3])
      expect(await ids([])).toEqual([0, []])
      expect((await ids([a, b]))[0]).toBe(all)
      expect((await ids([a], { page: { _tag: 'cursor', start: 0, limit: 100 } }))[1]).toEqual(
        expect.arrayContaining([...namesOfA]),
      )
      const { page: _, ...whole } = everything(model)
      const streamed = await run(
        Effect.flatMap(inventory, (lists) => Stream.runCollect(lists.stream(whole, Effect.succeed))).pipe(as([a])),
      )
      expect([...streamed].flat().map(({ serverName }) => serverName)).toEqual(namesOfA)
      const last = { page: { _tag: 'offset', limit: 1, offset: Math.max(0, (ofA ?? 0) - 1) } } as const
      expect((await ids([a], last))[0]).toBe(ofA)
      expect((await ids([a], { order: [{ field: 'id', descending: true }] }))[1]).toHaveLength(ofA ?? 0)
      if (model === 'snapshot') {
        const filters = [{ field: 'server', lookup: 'exact', values: [b] }] as const
        expect(await ids([a], { filters })).toEqual([0, []])
        expect((await ids([a], { search: '100' }))[0]).toBe(2)
      }
    })

    test('are the only ones whose rows, names and ids are known', async () => {
      const found = await run(
        Effect.gen(function* () {
          const lists = yield* inventory
          const { rows } = yield* lists.list(everything('snapshot')).pipe(as(null))
          const seen = yield* Effect.filter(rows, ({ id }) =>
            Effect.map(lists.get({ model: 'snapshot', id }).pipe(as([b])), Option.isSome),
          )
          return {
            seen: new Set(seen.map(({ serverName }) => serverName)),
            names: yield* lists.serverIds({ names: ['a', 'b'] }).pipe(as([b])),
            ids: yield* lists.existing({ model: 'server', ids: [a, b] }).pipe(as([b])),
            rows: (yield* lists.existing({ model: 'snapshot', ids: rows.map(({ id }) => id) }).pipe(as([b]))).size,
          }
        }),
      )
      expect(found).toEqual({ seen: new Set(['b']), names: new Map([['b', b]]), ids: new Set([b]), rows: 3 })
    })
  })

  test('are the only ones that the change log tells of', async () => {
    const read = (servers: ReadonlyArray<number> | null) =>
      run(Effect.flatMap(Changes, (changes) => changes.list({ filter: {}, limit: 100, offset: 0 })).pipe(as(servers)))
    const all = await read(null)
    const own = await read([a])
    expect(own.count).toBe(own.rows.length)
    expect(new Set(own.rows.map(({ serverId }) => serverId))).toEqual(new Set([a]))
    expect(own.count).toBeLessThan(all.count ?? 0)
    const foreign = all.rows.find(({ serverId }) => serverId === b)?.id ?? 0
    const get = Effect.flatMap(Changes, (changes) => changes.get({ id: foreign }))
    expect(Option.isSome(await run(get.pipe(as([b]))))).toBe(true)
    expect(await run(get.pipe(as([a])))).toEqual(Option.none())
  })
})
