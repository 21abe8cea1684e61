import { UnreadableRow } from '@netbox-pbs/pbs-client'
import { Either } from 'effect'
import { expect, test } from 'vitest'
import { group, snapshots } from '../../test/fake-reader.ts'
import { groupKey } from './group-frame.ts'
import { StreamedGroups } from './streamed-groups.ts'

const isWhole = (of: ReturnType<typeof group>, { rows }: { readonly rows: ReadonlyArray<unknown> }) =>
  rows.length >= (of['backup-count'] ?? 0)

const read = (
  groups: ReadonlyArray<ReturnType<typeof group>>,
  rows: Parameters<StreamedGroups['take']>[0],
  cut = false,
) => {
  const streamed = new StreamedGroups(groups, isWhole)
  const taken = [...rows].map((row) => Either.getOrThrow(streamed.take([row])))
  if (cut) streamed.cut()
  const closed = [...taken.flat(), ...streamed.end()]
  return {
    closed: closed.map(({ group: of, rows: own }) => `${groupKey(of)} ${own.length}`),
    left: streamed.left.map(groupKey),
    unknown: streamed.unknown,
  }
}

test('a group is closed when the next begins, and the last with the list', () => {
  const groups = [group('vm', '1', 2), group('vm', '2', 1)]
  expect(read(groups, [...snapshots('vm', '2', 1), ...snapshots('vm', '1', 3)])).toEqual({
    closed: ['vm/2 1', 'vm/1 3'],
    left: [],
    unknown: [],
  })
})

test('a list that was cut leaves the group in which it ended', () => {
  const groups = [group('vm', '1', 1), group('vm', '2', 1)]
  expect(read(groups, [...snapshots('vm', '1', 1), ...snapshots('vm', '2', 1)], true)).toEqual({
    closed: ['vm/1 1'],
    left: ['vm/2'],
    unknown: [],
  })
})

test('of a group far longer than it counts no more is held than may be new, and it is closed', () => {
  const { closed } = read([group('vm', '1', 1)], snapshots('vm', '1', 5000))
  expect(closed).toEqual(['vm/1 1003'])
})

test('rows that cannot be read belong to the group that they name, or to none', () => {
  const unreadable = (value: unknown) => new UnreadableRow(0, 'size', 'is no number', value)
  const streamed = new StreamedGroups([group('vm', '1', 0)], () => true)
  Either.getOrThrow(streamed.take([unreadable({ 'backup-type': 'vm', 'backup-id': '1' }), unreadable(null)]))
  expect(streamed.end().map((of) => [groupKey(of.group), of.unreadable.length])).toEqual([['vm/1', 1]])
})

test('a group that comes again after it was closed is out of order', () => {
  const streamed = new StreamedGroups([group('vm', '1', 1), group('vm', '2', 1)], isWhole)
  const rows = [...snapshots('vm', '1', 1), ...snapshots('vm', '2', 1), ...snapshots('vm', '1', 1)]
  expect(streamed.take(rows)).toEqual(Either.left({ key: 'vm/1' }))
})
