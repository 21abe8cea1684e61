import { type Filter, type ListQuery, parseListQuery } from '@netbox-pbs/core'
import { InventoryLists } from '@netbox-pbs/core/ports'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { afterAll, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { pglite } from './engines.ts'

/** The work that took a turn among those that may read a whole table. */
const scans: Array<string> = []
const watched = Layer.effect(
  Database,
  Effect.map(
    Database,
    (database) =>
      ({
        ...database,
        scan: (operation, work) => {
          scans.push(operation)
          return database.scan(operation, work)
        },
      }) satisfies Database['Type'],
  ),
)
const runtime = ManagedRuntime.make(Layer.provide(inventoryLayer, Layer.provide(watched, pglite.migrated)))
afterAll(() => runtime.dispose())

const isSlow = async (query: ListQuery) => {
  scans.length = 0
  await runtime.runPromise(Effect.flatMap(InventoryLists, (lists) => lists.list(query)))
  return scans.length > 0
}

test.each([
  ['snapshot', '', false],
  ['snapshot', 'backup_id=100', false],
  ['snapshot', 'id=1&id=2', false],
  ['snapshot', 'id=1&comment__ic=a', false],
  ['snapshot', 'id=1&q=a&start=0', false],
  ['snapshot', 'modified_by_request=6d0f2f7e-0000-4000-9000-000000000001&owner__n=a', false],
  ['snapshot', 'start=5', false],
  ['snapshot', 'ordering=-backup_time', false],
  ['snapshot', 'ordering=comment', true],
  ['snapshot', 'q=a', true],
  ['snapshot', 'id__n=1', true],
  ['snapshot', 'id__gt=1', true],
  // Counters tell how many there are, and in which groups.
  ['snapshot', 'owner=a', false],
  ['snapshot', 'owner__n=a', false],
  ['snapshot', 'owner=a&ordering=comment', true],
  ['snapshot', 'owner=a&comment__ic=a', true],
  ['snapshot', 'backup_id__n=100', true],
  ['snapshot', 'backup_id__ic=10', true],
  ['snapshot', 'backup_id__regex=^1', true],
  ['snapshot', 'backup_id__empty=true', true],
  ['snapshot', 'backup_time__lt=2026-05-01', true],
  ['snapshot', 'comment__isw=a', true],
  ['snapshot', 'size_bytes__empty=true', true],
  ['snapshot', 'start=5&comment__ic=a', true],
  ['group', 'comment__ic=a', true],
  ['group', 'id=7', false],
  ['task', 'status__iregex=a', true],
  ['task', 'created_by_request=6d0f2f7e-0000-4000-9000-000000000001', false],
  // Their tables are small.
  ['server', 'name__iregex=a', false],
  ['datastore', 'comment__nic=a&ordering=comment', false],
  ['job', 'schedule__empty=true', false],
] as const)('a list of %s by %s takes a turn among the slow ones: %s', async (model, parameters, expected) => {
  const { query, errors } = parseListQuery(model, new URLSearchParams(parameters))
  expect(errors).toEqual({})
  expect(await isSlow(query)).toBe(expected)
})

test('a filter that names a server, or all others, is answered by counters', async () => {
  const server: Filter = { field: 'server', lookup: 'exact', values: [1] }
  const query = parseListQuery('snapshot', new URLSearchParams()).query
  expect(await isSlow({ ...query, filters: [server] })).toBe(false)
  expect(await isSlow({ ...query, filters: [{ ...server, negated: true }] })).toBe(false)
  const size: Filter = { field: 'size_bytes', lookup: 'exact', values: [1], negated: true }
  expect(await isSlow({ ...query, filters: [size] })).toBe(true)
})
