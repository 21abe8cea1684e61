import { formatTimestamp } from '@netbox-pbs/core'
import {
  Inventory,
  InventoryWrites,
  KeyTaken,
  RowNotFound,
  type RowRemoval,
  type RowUpdate,
  VersionChanged,
} from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { describe, expect, test } from 'vitest'
import { type InventoryUnderTest, newScope, newServer } from './fleet.ts'
import { collect, serverFacts, serverIdOf, snapshotFacts } from './landing.ts'

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
          writes((port) => port.update({ model: 'server', rows: [{ id: of, values }], actor }))
        const before = Option.getOrThrow(yield* found(id))
        yield* update(id, { host: 'moved.example.com' })
        const after = { ...before, facts: { ...before.facts, host: 'moved.example.com' } }
        expect(yield* found(id)).toEqual(Option.some(after))
        expect(yield* Effect.flip(update(id, { name: 'in the way' }))).toEqual(
          new KeyTaken({ model: 'server', index: 0 }),
        )
        expect(yield* found(id)).toEqual(Option.some(after))
        expect(yield* Effect.flip(update(2 ** 40, { host: 'nowhere' }))).toEqual(
          new RowNotFound({ model: 'server', index: 0 }),
        )
      }),
    )
  })

  test('deletes a server with all that belongs to it, once', async () => {
    await run(
      Effect.gen(function* () {
        const { server: id, groups } = yield* newScope('deleted', [1, 2])
        const remove = writes((port) => port.remove({ model: 'server', rows: [{ id }], actor }))
        yield* remove
        expect([yield* found(id), yield* groups]).toEqual([Option.none(), []])
        expect(yield* Effect.flip(remove)).toEqual(new RowNotFound({ model: 'server', index: 0 }))
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
          writes((port) => port.update({ model: 'server', rows: [{ id, values }], actor }))
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
        yield* writes((port) => port.update({ ...snapshot, rows: [{ id: id(1), values: { comment: 'mine' } }] }))
        expect(yield* digests).toEqual([null])
        yield* land([frame('second', 2)])
        yield* writes((port) => port.remove({ ...snapshot, rows: [{ id: id(1) }] }))
        expect([yield* digests, yield* left]).toEqual([[null], ['2 listed']])
        yield* land([frame('third', 1)])
        yield* writes((port) => port.create({ ...snapshot, rows: [facts(3)] }))
        expect([yield* digests, yield* left]).toEqual([[null], ['2 listed', '3 manual']])
      }),
    )
  })

  describe('of a thousand rows', () => {
    const model = 'snapshot'
    const hours = (nth: number) => formatTimestamp(Date.UTC(2026, 0, 1, nth))
    /** A server's group of a thousand snapshots, one per hour, that a user has made, and the reads of it. */
    const thousand = (name: string) =>
      Effect.gen(function* () {
        const server = yield* newServer(name)
        const rows = Array.from({ length: 1000 }, (_, nth) => snapshotFacts(server, '100', hours(nth)))
        const ids = yield* writes((port) => port.create({ model, rows, actor }))
        const id = (nth: number) => ids[nth] ?? 0
        const inventory = yield* Inventory
        const update = (changes: ReadonlyArray<RowUpdate>) =>
          writes((port) => port.update({ model, rows: changes, actor }))
        return {
          id,
          update,
          changes: ids.map((one, nth) => ({
            id: one,
            values: nth % 2 === 0 ? { comment: `the ${nth}th` } : { protected: true },
          })),
          remove: (removals: ReadonlyArray<RowRemoval>) =>
            writes((port) => port.remove({ model, rows: removals, actor })),
          /** The rows in the order in which they were made. */
          left: Effect.gen(function* () {
            const groups = yield* collect(inventory.groups({ serverId: server, datastore: 'tank', namespace: '' }))
            const found = yield* collect(inventory.snapshots({ groupIds: groups.map((group) => group.id) }))
            return found.toSorted((a, b) => a.id - b.id).map(({ id: rowId, facts }) => ({ id: rowId, facts }))
          }),
          /** The version that a row has now, which only a refused change tells here. */
          version: (nth: number) =>
            Effect.map(Effect.flip(update([{ id: id(nth), values: {}, versions: [] }])), (error) =>
              error._tag === 'VersionChanged' ? error.version : '',
            ),
        }
      })

    test('changes each in fields of its own', async () => {
      await run(
        Effect.gen(function* () {
          const { update, changes, left } = yield* thousand('a thousand')
          const before = yield* left
          yield* update(changes)
          expect(yield* left).toEqual(
            before.map(({ id, facts }, nth) => ({ id, facts: { ...facts, ...changes[nth]?.values } })),
          )
        }),
      )
    })

    test('changes none when one has another version, is not there or gets a key that is taken, and says which', async () => {
      await run(
        Effect.gen(function* () {
          const { update, changes, left, version, id } = yield* thousand('a thousand but one')
          const before = yield* left
          const known = [yield* version(300), yield* version(700)] as const
          const but = (nth: number, other: Partial<RowUpdate>) =>
            changes.map((one, place): RowUpdate => (place === nth ? { ...one, ...other } : one))
          const refused = (nth: number, other: Partial<RowUpdate>) => Effect.flip(update(but(nth, other)))
          expect(yield* refused(700, { versions: ['2026-01-01T00:00:00Z'] })).toEqual(
            new VersionChanged({ version: known[1], index: 700 }),
          )
          expect(yield* refused(700, { id: 2 ** 40 })).toEqual(new RowNotFound({ model, index: 700 }))
          expect(yield* refused(700, { values: { backup_time: hours(20) } })).toEqual(
            new KeyTaken({ model, index: 700 }),
          )
          const both = but(300, { values: { backup_time: hours(2000) } })
          const twice = both.map((one, nth) => (nth === 700 ? { ...one, values: { backup_time: hours(2000) } } : one))
          expect(yield* Effect.flip(update(twice))).toEqual(new KeyTaken({ model, index: 700 }))
          expect(yield* left).toEqual(before)
          yield* update([
            { id: id(700), values: { comment: 'known' }, versions: ['other', known[1]] },
            { id: id(300), values: { comment: 'known' }, versions: [known[0]] },
          ])
          expect((yield* left).filter(({ facts }) => facts.comment === 'known').map((row) => row.id)).toEqual([
            id(300),
            id(700),
          ])
        }),
      )
    })

    test('exchanges keys between rows of one call, but not with a row that keeps its key', async () => {
      await run(
        Effect.gen(function* () {
          const { update, left, id } = yield* thousand('in a ring')
          const to = (nth: number, hour: number) => ({ id: id(nth), values: { backup_time: hours(hour) } })
          const times = Effect.map(left, (rows) => rows.slice(0, 5).map(({ facts }) => facts.backup_time))
          yield* update([to(0, 1), to(1, 0)])
          expect(yield* times).toEqual([1, 0, 2, 3, 4].map(hours))
          yield* update([to(2, 3), to(3, 4), to(4, 2)])
          expect(yield* times).toEqual([1, 0, 3, 4, 2].map(hours))
          // The row that has the fourth hour is in the call, but stays there.
          const kept = update([to(0, 0), to(1, 4), { id: id(3), values: { comment: 'stays' } }])
          expect(yield* Effect.flip(kept)).toEqual(new KeyTaken({ model, index: 1 }))
          expect(yield* times).toEqual([1, 0, 3, 4, 2].map(hours))
          // It leaves, so the hour is free.
          yield* update([to(1, 4), to(3, 5000)])
          expect(yield* times).toEqual([1, 4, 3, 5000, 2].map(hours))
        }),
      )
    })

    test('deletes all or none', async () => {
      await run(
        Effect.gen(function* () {
          const { remove, left, id, version } = yield* thousand('deleted at once')
          const before = yield* left
          const all = before.map((row) => ({ id: row.id }))
          const known = yield* version(999)
          const stale = all.map((one, nth) => (nth === 999 ? { ...one, versions: ['2026-01-01T00:00:00Z'] } : one))
          expect(yield* Effect.flip(remove(stale))).toEqual(new VersionChanged({ version: known, index: 999 }))
          const absent = all.map((one, nth) => (nth === 500 ? { id: 2 ** 40 } : one))
          expect(yield* Effect.flip(remove(absent))).toEqual(new RowNotFound({ model, index: 500 }))
          expect(yield* left).toEqual(before)
          yield* remove(all.slice(1))
          expect((yield* left).map((row) => row.id)).toEqual([id(0)])
        }),
      )
    })
  })
}
