import { expect, test } from 'vitest'
import { byGroup, groupFrame, groupKey, sortedGroups } from './group.ts'

const row = (type: string, id: string, time: number) => ({
  'backup-type': type,
  'backup-id': id,
  'backup-time': time,
  files: [],
})
const group = (type: string, id: string) => ({ 'backup-type': type, 'backup-id': id, 'backup-count': 1 })

test('a group holds its snapshots newest first, whatever the order of the source', () => {
  const place = { server: 'pbs-a', datastore: 'tank', namespace: 'site-a' }
  const listed = { ...group('vm', '101'), owner: 'backup@pbs!pve', comment: 'web01\n' }
  const frame = groupFrame(place, listed, [row('vm', '101', 100), row('vm', '101', 300), row('vm', '101', 200)])
  expect({ ...frame, snapshots: frame.snapshots.map(({ backup_time }) => backup_time) }).toEqual({
    frame: 'group',
    server: 'pbs-a',
    datastore: 'tank',
    namespace: 'site-a',
    backup_type: 'vm',
    backup_id: '101',
    owner: 'backup@pbs!pve',
    comment: 'web01',
    snapshots: ['1970-01-01T00:05:00Z', '1970-01-01T00:03:20Z', '1970-01-01T00:01:40Z'],
  })
})

test('an unknown backup type is kept as it is', () => {
  const place = { server: 'pbs-a', datastore: 'tank', namespace: '' }
  expect(groupFrame(place, group('lxd', '1'), []).backup_type).toBe('lxd')
})

test('groups have one order', () => {
  const groups = [group('vm', '20'), group('ct', '9'), group('vm', '100'), group('host', 'a')]
  expect(sortedGroups(groups).map(groupKey)).toEqual(['ct/9', 'host/a', 'vm/100', 'vm/20'])
})

test('rows go to their groups', () => {
  const rows = byGroup([row('vm', '1', 1), row('ct', '1', 2), row('vm', '1', 3)])
  expect([...rows].map(([key, of]) => [key, of.length])).toEqual([
    ['vm/1', 2],
    ['ct/1', 1],
  ])
})
