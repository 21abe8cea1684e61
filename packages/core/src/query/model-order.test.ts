import { expect, test } from 'vitest'
import { compareInModelOrder } from './model-order.ts'

const server = (id: number, name: string) => ({ id, serverName: name, name })
const snapshot = (id: number, serverName: string, backup_time: string) => ({
  id,
  serverName,
  datastore_name: 'tank',
  namespace: '',
  backup_type: 'vm',
  backup_id: '1',
  backup_time,
})
const idsOf = (rows: ReadonlyArray<{ readonly id: number }>) => rows.map(({ id }) => id)

test('servers are in the order of their names, by code points', () => {
  // The third begins with a surrogate pair, the second with the last code point below it.
  const rows = [server(1, '\u{1F600}'), server(2, '\uffee'), server(3, 'b'), server(4, 'B'), server(5, 'bb')]
  expect(idsOf(rows.toSorted(compareInModelOrder('server')))).toEqual([4, 3, 5, 2, 1])
})

test('snapshots are in the order of their servers, then newest first, then by id', () => {
  const [old, late] = ['2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z']
  const rows = [snapshot(4, 'b', late), snapshot(3, 'a', old), snapshot(2, 'a', late), snapshot(1, 'a', late)]
  expect(idsOf(rows.toSorted(compareInModelOrder('snapshot')))).toEqual([1, 2, 3, 4])
})
