import type { Filter, ModelName, OrderTerm, PageRequest } from '@netbox-pbs/core'
import { InventoryLists, type InventoryWrites, type WritableModel } from '@netbox-pbs/core/ports'
import { create, landOnce, may, rootOf, snapshotFacts } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { edits } from './contract/edits.ts'
import { engines } from './engines.ts'

// The contract of `InventoryLists`: the two engines are its adapters, and no fake of it exists.

const first: PageRequest = { _tag: 'offset', limit: 50, offset: 0 }
const ascending = (field: string): OrderTerm => ({ field, descending: false })
const descending = (field: string): OrderTerm => ({ field, descending: true })
const exact = (field: string, ...values: Filter['values']): Filter => ({ field, lookup: 'exact', values })

describe.each(engines)('lists on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  afterAll(() => runtime.dispose())
  const run = <A, E>(effect: Effect.Effect<A, E, InventoryLists | InventoryWrites>) => runtime.runPromise(effect)
  const list = <M extends ModelName>(
    model: M,
    query: {
      filters?: ReadonlyArray<Filter>
      search?: string
      order?: ReadonlyArray<OrderTerm>
      page?: PageRequest
    } = {},
  ) => {
    const { filters = [], search = null, order = [], page = first } = query
    return run(Effect.flatMap(InventoryLists, (lists) => lists.list({ model, filters, search, order, page })))
  }
  /** One column of the rows of a list. */
  const column = async (model: ModelName, name: string, query: Parameters<typeof list>[1] = {}) =>
    (await list(model, query)).rows.map((row) => Object.entries(row).find(([field]) => field === name)?.[1])

  let a = 0
  let b = 0
  const make = (model: WritableModel, rows: ReadonlyArray<Record<string, string | number | boolean | null>>) =>
    Effect.flatMap(edits, (writes) => writes.create({ model, rows }))

  beforeAll(() =>
    runtime.runPromise(
      Effect.gen(function* () {
        // The server made first sorts last: by its name, not by its id.
        const servers = ['z-last', 'B-first'].map((name) => ({
          name,
          host: `${name}.example.com`,
          token_id: 't@pbs!x',
        }))
        ;[b = 0, a = 0] = yield* make('server', servers)
        yield* make('datastore', [
          { server: a, name: 'b', path: '/100%', used_bytes: 5, comment: 'Größe' },
          { server: a, name: 'a', path: '/100x', used_bytes: null },
          { server: a, name: 'Z', path: '/under_score', used_bytes: 9, gc_status: 'odd' },
          { server: b, name: 'a', path: '/back\\slash', used_bytes: 5, comment: 'ÉTÉ' },
        ])
        yield* landOnce(rootOf('B-first'), [
          { model: 'snapshot', changes: [1, 2].map((day) => create('snapshot', snapshotFacts(a, '100', may(day)))) },
          {
            model: 'snapshot',
            changes: [
              create(
                'snapshot',
                snapshotFacts(a, '9', may(1), { backup_type: 'odd', other_files: [{ filename: 'x.log' }] }),
              ),
            ],
          },
        ])
        yield* make('snapshot', [
          {
            server: a,
            datastore_name: 'tank',
            backup_type: 'ct',
            backup_id: '7',
            backup_time: may(3),
            last_seen_at: may(4),
          },
          {
            server: b,
            datastore_name: 'tank',
            backup_type: 'vm',
            backup_id: '1',
            backup_time: may(1),
            namespace: 'site',
          },
        ])
      }),
    ),
  )

  test('the default order is the registry’s, by the name of the server and by code points', async () => {
    expect((await list('datastore')).rows.map((row) => [row.serverName, row.name])).toEqual([
      ['B-first', 'Z'],
      ['B-first', 'a'],
      ['B-first', 'b'],
      ['z-last', 'a'],
    ])
    const snapshots = await list('snapshot')
    expect(snapshots.count).toBe(5)
    expect(
      snapshots.rows.map((row) => `${row.serverName} ${row.backup_type}/${row.backup_id} ${row.backup_time}`),
    ).toEqual([
      `B-first ct/7 ${may(3)}`,
      `B-first odd/9 ${may(1)}`,
      `B-first vm/100 ${may(2)}`,
      `B-first vm/100 ${may(1)}`,
      `z-last vm/1 ${may(1)}`,
    ])
  })

  test.each([
    ['ascending, nulls last', ascending('used_bytes'), [5, 5, 9, null]],
    ['descending, nulls first', descending('used_bytes'), [null, 9, 5, 5]],
  ])('an observation sorts %s', async (_, term, expected) => {
    expect(await column('datastore', 'used_bytes', { order: [term] })).toEqual(expected)
  })

  test('equals are in the order of their ids, also when descending', async () => {
    const ids = await column('datastore', 'id', { order: [descending('used_bytes')] })
    expect(ids.slice(2)).toEqual(ids.slice(2).toSorted((x, y) => Number(x) - Number(y)))
  })

  test('a server sorts by its name', async () => {
    expect(await column('datastore', 'serverName', { order: [descending('server'), ascending('name')] })).toEqual([
      'z-last',
      'B-first',
      'B-first',
      'B-first',
    ])
  })

  test('pages have the count of all; one past the end is empty', async () => {
    const page = (offset: number) => list('snapshot', { page: { _tag: 'offset', limit: 2, offset } })
    const pages = [await page(0), await page(2), await page(4), await page(6)]
    expect(pages.map(({ count, rows }) => [count, rows.length])).toEqual([
      [5, 2],
      [5, 2],
      [5, 1],
      [5, 0],
    ])
    expect(new Set(pages.flatMap(({ rows }) => rows.map(({ id }) => id))).size).toBe(5)
  })

  test('the walk over groups finds the same pages as sorting the snapshots does', async () => {
    const terms = ['server', 'datastore_name', 'namespace', 'backup_type', 'backup_id'].map(ascending)
    const order = [...terms, descending('backup_time')]
    for (const filters of [
      [],
      [exact('server', a)],
      [exact('backup_id', '100', '7')],
      [exact('backup_type', 'unknown')],
    ]) {
      for (const limit of [1, 2, 3, 50]) {
        for (let offset = 0; offset < 6; offset++) {
          const page = { _tag: 'offset', limit, offset } as const
          expect(await list('snapshot', { filters, page })).toEqual(await list('snapshot', { filters, page, order }))
        }
      }
    }
  })

  test('a cursor goes by id and counts nothing', async () => {
    const all = (await list('snapshot', { page: { _tag: 'cursor', limit: 50, start: 0 } })).rows.map(({ id }) => id)
    expect(all).toEqual(all.toSorted((x, y) => x - y))
    expect(all.length).toBe(5)
    const some = await list('snapshot', { page: { _tag: 'cursor', limit: 2, start: all[1] ?? 0 } })
    expect(some.count).toBe(null)
    expect(some.rows.map(({ id }) => id)).toEqual(all.slice(1, 3))
  })

  test.each<[string, ModelName, ReadonlyArray<Filter>, number]>([
    ['a text', 'datastore', [exact('name', 'a')], 2],
    ['alternatives', 'datastore', [exact('name', 'a', 'Z')], 3],
    ['several filters', 'datastore', [exact('name', 'a', 'Z'), exact('used_bytes', 9)], 1],
    ['null', 'datastore', [exact('used_bytes', null)], 1],
    ['null or a value', 'datastore', [exact('used_bytes', null, 9)], 2],
    ['no value', 'datastore', [exact('name')], 0],
    ['a time', 'snapshot', [exact('backup_time', may(1))], 3],
    ['a boolean', 'snapshot', [exact('protected', false)], 5],
    ['when last seen by its scope', 'snapshot', [exact('last_seen_at', '2026-06-01T00:00:00Z')], 3],
    ['when last seen by itself', 'snapshot', [exact('last_seen_at', may(4))], 1],
    ['a choice', 'snapshot', [exact('backup_type', 'ct')], 1],
    ['a choice that the source names otherwise', 'snapshot', [exact('backup_type', 'unknown', 'ct')], 2],
    ['an observed choice by its default', 'datastore', [exact('gc_status', 'unknown')], 4],
    ['an empty text', 'snapshot', [exact('namespace', '')], 4],
    ['text that cannot be stored', 'datastore', [exact('name', 'a\0')], 0],
    ['a number that is none of the column’s', 'datastore', [exact('used_bytes', 1e300)], 0],
    ['a field that is not there', 'datastore', [exact('nothing', 1)], 0],
    ['quotes', 'datastore', [exact('name', `a'"`, '{a}', 'a,b')], 0],
  ])('filters by %s', async (_, model, filters, expected) => {
    const { count, rows } = await list(model, { filters })
    expect([count, rows.length]).toEqual([expected, expected])
  })

  test('filters by the ids of servers and rows', async () => {
    expect((await list('datastore', { filters: [exact('server', a)] })).count).toBe(3)
    const ids = await column('datastore', 'id')
    expect(await column('datastore', 'id', { filters: [exact('id', Number(ids[1]), 999_999_999)] })).toEqual([ids[1]])
  })

  test.each<[string, ModelName, string, number]>([
    ['a part of a word', 'datastore', 'slash', 1],
    ['any case', 'datastore', 'B-FIRST', 3],
    ['letters beyond ASCII', 'datastore', 'grÖßE', 1],
    ['accented capitals', 'datastore', 'été', 1],
    ['a percent sign', 'datastore', '100%', 1],
    ['an underscore', 'datastore', 'r_s', 1],
    ['a backslash', 'datastore', 'k\\s', 1],
    ['NUL', 'datastore', '\0', 0],
    ['nothing', 'datastore', '', 4],
    ['a server’s host', 'server', 'z-last.example', 1],
    ['a backup id', 'snapshot', '100', 2],
    ['a backup id of groups', 'group', '100', 1],
  ])('searches %s', async (_, model, search, expected) => {
    expect((await list(model, { search })).count).toBe(expected)
  })

  test('files are those of the manifest and then the others', async () => {
    const { rows } = await list('snapshot', { filters: [exact('backup_type', 'odd')] })
    expect(rows[0]).toMatchObject({
      backup_type: 'odd',
      files: [{ filename: 'drive.img.fidx', size: 1000, crypt_mode: 'none' }, { filename: 'x.log' }],
    })
  })

  test('every column of every model can be ordered and filtered by', async () => {
    const { fieldsOfClass, modelNames } = await import('@netbox-pbs/core')
    for (const model of modelNames) {
      const fields = fieldsOfClass(model, 'key', 'immutable', 'source', 'operator', 'observation', 'derived')
      for (const field of [...fields, 'id', 'created', 'last_updated']) {
        const all = await list(model, { order: [descending(field)] })
        expect([model, field, all.rows.length]).toEqual([model, field, (await list(model)).count])
        await list(model, { filters: [exact(field, null)] })
      }
    }
  })
})
