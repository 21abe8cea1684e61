import {
  Branches,
  type ChangeSets,
  Changes,
  type Inventory,
  type InventoryLists,
  InventoryWrites,
  KeyTaken,
  RowNotFound,
  type RowUpdate,
  VersionChanged,
} from '@netbox-pbs/core/ports'
import { may } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import type { KyselyPlugin } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { newBranch, rows } from './contract/branching.ts'
import { ada } from './contract/edits.ts'
import { engines } from './engines.ts'

// That many rows change together or not at all is in the port's contract suite. Here is what it costs,
// what the log has of it, and that a branch does the same.

const judging = 'judging which groups are copies'

let requests = 9_000_000
const aRequest = () => ada(++requests)

describe.each(engines)('edits of many rows at once on $engine', ({ migrated }) => {
  const sent = { statements: 0 }
  const counting: KyselyPlugin = {
    transformQuery: ({ node }) => {
      sent.statements++
      return node
    },
    transformResult: async ({ result }) => result,
  }
  const counted = Layer.effect(
    Database,
    Effect.map(Database, (database) => {
      const transaction: typeof database.transaction = (operation, use, options) =>
        // After the commit guests are judged, some families at a time.
        database.transaction(operation, (trx) => use(operation === judging ? trx : trx.withPlugin(counting)), options)
      return { ...database, transaction }
    }),
  ).pipe(Layer.provide(migrated))
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, counted))
  type Ports = Branches | ChangeSets | Changes | Database | Inventory | InventoryLists | InventoryWrites
  const run = <A, E>(effect: Effect.Effect<A, E, Ports>) => runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  /** How many statements the transactions of some work send. */
  const statementsOf = <A, E, R>(work: Effect.Effect<A, E, R>) =>
    Effect.suspend(() => {
      sent.statements = 0
      return Effect.map(work, () => sent.statements)
    })
  const server = (name: string) =>
    Effect.flatMap(InventoryWrites, (writes) =>
      Effect.map(
        writes.create({
          model: 'server',
          rows: [{ name, host: 'h', token_id: 't@pbs!x' }],
          actor: aRequest(),
        }),
        ([id = 0]) => id,
      ),
    )
  /** Snapshots of a server in so many groups and namespaces as there are rows. */
  const scattered = (serverId: number, count: number) =>
    Array.from({ length: count }, (_, nth) => ({
      server: serverId,
      datastore_name: 'tank',
      namespace: `of-${nth % 40}`,
      backup_type: 'vm',
      backup_id: String(nth),
      backup_time: may(1),
    }))
  /** The entries of a request, oldest first. */
  const logged = ({ requestId }: { readonly requestId: string }) =>
    Effect.flatMap(Changes, (changes) =>
      Effect.map(changes.list({ filter: { requestIds: [requestId] }, limit: 5000, offset: 0 }), (page) =>
        page.rows.toReversed(),
      ),
    )

  test('take as many statements for a thousand snapshots in forty namespaces as for two', async () => {
    await run(
      Effect.gen(function* () {
        const writes = yield* InventoryWrites
        const id = yield* server('statements')
        const costs = (count: number, name: string) =>
          Effect.gen(function* () {
            const values = scattered(id, count).map((row) => ({ ...row, datastore_name: name }))
            let ids: ReadonlyArray<number> = []
            const making = writes.create({ model: 'snapshot', rows: values, actor: aRequest() })
            const created = yield* statementsOf(Effect.map(making, (made) => (ids = made)))
            const update = (to: (nth: number) => RowUpdate['values']) =>
              statementsOf(
                writes.update({
                  model: 'snapshot',
                  rows: ids.map((one, nth) => ({ id: one, values: to(nth) })),
                  actor: aRequest(),
                }),
              )
            return {
              created,
              changed: yield* update((nth) => ({ comment: `the ${nth}th`, last_seen_at: may(2) })),
              renamed: yield* update((nth) => ({ backup_id: `new-${nth}` })),
              // Of a thousand each takes the key of the next one in its namespace; two keep theirs.
              shifted: yield* update((nth) => ({
                backup_id: `new-${(nth + 40) % count}`,
                namespace: `of-${((nth + 40) % count) % 40}`,
              })),
              removed: yield* statementsOf(
                writes.remove({ model: 'snapshot', rows: ids.map((one) => ({ id: one })), actor: aRequest() }),
              ),
            }
          })
        const two = yield* costs(2, 'two')
        const thousand = yield* costs(1000, 'thousand')
        expect({ ...thousand, shifted: 0 }).toEqual({ ...two, shifted: 0 })
        // Only freeing the keys is one more.
        expect(thousand.shifted).toBe(two.shifted + 1)
        expect(Math.max(...Object.values(thousand))).toBeLessThan(20)
      }),
    )
  })

  test('take as many statements for a thousand datastores with observations as for two', async () => {
    await run(
      Effect.gen(function* () {
        const writes = yield* InventoryWrites
        const id = yield* server('stores')
        const costs = (count: number) =>
          Effect.gen(function* () {
            const values = Array.from({ length: count }, (_, nth) => ({
              server: id,
              name: `${count}-${nth}`,
              path: '/',
            }))
            const ids = yield* writes.create({ model: 'datastore', rows: values, actor: aRequest() })
            const update = writes.update({
              model: 'datastore',
              rows: ids.map((one, nth) => ({
                id: one,
                values: nth % 2 === 0 ? { used_bytes: nth } : { gc_status: 'ok' },
              })),
              actor: aRequest(),
            })
            const cost = yield* statementsOf(update)
            return [
              cost,
              yield* rows(`select o.used_bytes, o.gc_status from datastores d join datastore_observations o on o.datastore_id = d.id
              where d.id in (${ids.join()}) order by d.id limit 2`),
            ]
          })
        const stored = [
          { used_bytes: 0, gc_status: 'unknown' },
          { used_bytes: null, gc_status: 'ok' },
        ]
        const [cost, two] = yield* costs(2)
        expect(two).toEqual(stored)
        expect(yield* costs(1000)).toEqual([cost, stored])
      }),
    )
  })

  test('are logged in the order of the request, each as it was before keys were exchanged', async () => {
    await run(
      Effect.gen(function* () {
        const writes = yield* InventoryWrites
        const id = yield* server('order')
        const values = Array.from({ length: 200 }, (_, nth) => ({ server: id, name: `store-${nth}`, path: '/' }))
        const ids = (yield* writes.create({ model: 'datastore', rows: values, actor: aRequest() })).toReversed()
        const [changing, exchanging, deleting] = [aRequest(), aRequest(), aRequest()] as const
        const update = (actor: typeof changing, to: (nth: number) => RowUpdate['values']) =>
          writes.update({ model: 'datastore', rows: ids.map((one, nth) => ({ id: one, values: to(nth) })), actor })
        yield* update(changing, (nth) => ({ comment: `${nth}` }))
        expect((yield* logged(changing)).map(({ objectId }) => objectId)).toEqual(ids)
        // Each takes the name of the one before it, the first that of the last one.
        yield* update(exchanging, (nth) => ({ name: `store-${(199 - nth + 1) % 200}` }))
        expect((yield* logged(exchanging)).map(({ objectId, before, after }) => ({ objectId, before, after }))).toEqual(
          ids.map((objectId, nth) => ({
            objectId,
            before: { name: `store-${199 - nth}` },
            after: { name: `store-${(199 - nth + 1) % 200}` },
          })),
        )
        yield* writes.remove({ model: 'datastore', rows: ids.map((one) => ({ id: one })), actor: deleting })
        expect((yield* logged(deleting)).map(({ objectId }) => objectId)).toEqual(ids)
        const servers: Array<number> = []
        for (const name of ['order-a', 'order-b', 'order-c']) servers.unshift(yield* server(name))
        const deletingServers = aRequest()
        yield* writes.remove({ model: 'server', rows: servers.map((one) => ({ id: one })), actor: deletingServers })
        expect((yield* logged(deletingServers)).map(({ objectId }) => objectId)).toEqual(servers)
      }),
    )
  })

  test('are the same in a branch: all or none, with keys exchanged, and few statements', async () => {
    await run(
      Effect.gen(function* () {
        const branches = yield* Branches
        const { id: branch } = yield* newBranch('many', 'operator')
        const { lists, writes } = branches.overlay({ id: branch })
        const id = yield* server('many')
        const main = yield* InventoryWrites
        const values = Array.from({ length: 1000 }, (_, nth) => ({ server: id, name: `store-${nth}`, path: '/' }))
        // Half of them are main's, half are the branch's own.
        const ids = [
          ...(yield* main.create({ model: 'datastore', rows: values.slice(0, 500), actor: aRequest() })),
          ...(yield* writes.create({ model: 'datastore', rows: values.slice(500), actor: aRequest() })),
        ]
        const update = (changes: ReadonlyArray<RowUpdate>) =>
          writes.update({ model: 'datastore', rows: changes, actor: aRequest() })
        const remove = (some: ReadonlyArray<number>) =>
          writes.remove({ model: 'datastore', rows: some.map((one) => ({ id: one })), actor: aRequest() })
        const changes = ids.map((one, nth) => ({ id: one, values: { comment: `the ${nth}th` } }))
        const shown = Effect.map(
          lists.list({
            model: 'datastore',
            filters: [{ field: 'server', lookup: 'exact', values: [id] }],
            search: null,
            order: [],
            page: { _tag: 'offset', limit: 1000, offset: 0 },
          }),
          (page) =>
            page.rows
              .toSorted((a, b) => a.id - b.id)
              .map((row) => ('comment' in row && 'name' in row ? `${row.name}: ${row.comment}` : '')),
        )
        const but = (nth: number, other: Partial<RowUpdate>) =>
          changes.map((one, place): RowUpdate => (place === nth ? { ...one, ...other } : one))
        const before = yield* shown
        const stale = yield* Effect.flip(update(but(700, { versions: ['2026-01-01T00:00:00Z'] })))
        expect(stale).toBeInstanceOf(VersionChanged)
        expect(stale).toMatchObject({ index: 700 })
        expect(yield* Effect.flip(update(but(700, { id: 2 ** 40 })))).toEqual(
          new RowNotFound({ model: 'datastore', index: 700 }),
        )
        expect(yield* Effect.flip(update(but(700, { values: { name: 'store-3' } })))).toEqual(
          new KeyTaken({ model: 'datastore', index: 700 }),
        )
        expect(yield* shown).toEqual(before)
        const revision = Effect.map(
          rows<{ revision: number }>(`select revision from branches where id = ${branch}`),
          ([found]) => found?.revision ?? 0,
        )
        const known = yield* revision
        const cost = yield* statementsOf(update(changes))
        expect(yield* shown).toEqual(values.map(({ name }, nth) => `${name}: the ${nth}th`))
        expect(yield* revision).toBe(known + 1)
        expect(cost).toBeLessThan(15)
        // A row of main and one of the branch exchange their names, so do two of main.
        const named = (nth: number, name: string) => ({ id: ids[nth] ?? 0, values: { name } })
        yield* update([named(0, 'store-999'), named(999, 'store-0'), named(1, 'store-2'), named(2, 'store-1')])
        const exchanged = yield* shown
        expect([0, 1, 2, 999].map((nth) => exchanged[nth])).toEqual([
          'store-999: the 0th',
          'store-2: the 1th',
          'store-1: the 2th',
          'store-0: the 999th',
        ])
        expect(yield* Effect.flip(remove([...ids.slice(0, 3), 2 ** 40]))).toEqual(
          new RowNotFound({ model: 'datastore', index: 3 }),
        )
        expect(yield* statementsOf(remove(ids.slice(1)))).toBeLessThan(15)
        expect(yield* shown).toEqual(['store-999: the 0th'])
        // These changes of the branch merge.
        yield* branches.merge({ id: branch, commit: true, by: aRequest(), at: '2026-06-02T00:00:00Z', approval: false })
        const left = yield* rows(`select name, comment from datastores where server_id = ${id}`)
        expect(left).toEqual([{ name: 'store-999', comment: 'the 0th' }])
      }),
    )
  })
})
