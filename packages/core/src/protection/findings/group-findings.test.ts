import { expect, test } from 'vitest'
import type { DatastoreFacts } from './datastore-findings.ts'
import type { Judged } from './finding.ts'
import { type GroupFacts, judgeGroup, judgeGroupCounts } from './group-findings.ts'

const store: DatastoreFacts = {
  ...{
    id: 2,
    name: 'tank',
    listed: true,
    maintenance: '',
    mountStatus: '',
    backendType: '',
    usedBytes: 1,
    totalBytes: 9,
  },
  ...{ usageAt: 1, lastSeen: 900, lists: { known: 1, oldest: 900, newest: 900, overdue: 0, stuck: null } },
  server: {
    ...{
      id: 1,
      name: 'pbs-a',
      host: 'h',
      status: 'reachable',
      statusSince: 1,
      errorCode: '',
      error: '',
      errorAt: null,
    },
    ...{ clockOffset: 0, lastSeen: 900, privileges: null },
  },
}
const group = (state: string, more: Partial<GroupFacts> = {}): GroupFacts => ({
  ...{ id: 3, datastore: store, namespace: 'a', type: 'vm', backupId: '101', state, since: 500, lastBackup: 360 },
  ...{ objective: 93_600, siblings: 1 },
  ...more,
})
const short = (judged: Judged) =>
  judged._tag === 'found'
    ? [judged.cause.severity, judged.cause.since, judged.cause.count, judged.cause.sentence]
    : judged._tag === 'clear'
      ? ['clear', judged.by]
      : ['unknown', judged.under]

const off: DatastoreFacts = { ...store, maintenance: 'offline' }
const fine = ['clear', 'Its newest backup is of 1970-01-01T00:06:00Z, so that it is protected.']
const nothing = ['unknown', null]

test.each<readonly [GroupFacts, ReadonlyArray<ReadonlyArray<unknown>>]>([
  [group('protected'), [fine, fine, fine]],
  [group('unknown'), [nothing, nothing, nothing]],
  [
    group('missing', { lastBackup: null }),
    [
      ['critical', 500, 1, 'vm/101 in tank/a on pbs-a has no backup'],
      ['clear', 'Its newest backup is none, so that it is missing.'],
      ['clear', 'Its newest backup is none, so that it is missing.'],
    ],
  ],
  [
    group('late'),
    [
      ['clear', 'Its newest backup is of 1970-01-01T00:06:00Z, so that it is late.'],
      ['clear', 'Its newest backup is of 1970-01-01T00:06:00Z, so that it is late.'],
      [
        'warning',
        500,
        1,
        'vm/101 in tank/a on pbs-a has no new backup within 26 hours, the last is of 1970-01-01T00:06:00Z',
      ],
    ],
  ],
  [
    group('at_risk', { siblings: 10 }),
    [
      ['clear', 'Its newest backup is of 1970-01-01T00:06:00Z, so that it is at risk.'],
      ['unknown', 'guests_at_risk/2'],
      ['clear', 'Its newest backup is of 1970-01-01T00:06:00Z, so that it is at risk.'],
    ],
  ],
  [
    group('late', { datastore: off }),
    [
      ['unknown', 'datastore_unreadable/2'],
      ['unknown', 'datastore_unreadable/2'],
      ['unknown', 'datastore_unreadable/2'],
    ],
  ],
])('a group $state is judged', (facts, expected) => {
  expect(judgeGroup(facts).map(short)).toEqual(expected)
})

test.each([
  [{ late: 9 }, ['clear', 'Fewer than ten of its guests are late.']],
  [{ late: 10 }, ['warning', 700, 10, '10 guests of tank on pbs-a are late']],
  [{ late: 8, unknown: 1 }, ['clear', 'Fewer than ten of its guests are late.']],
  [{ late: 8, unknown: 2 }, nothing],
  [{ missing: 10 }, ['clear', 'Fewer than ten of its guests are late.']],
])('of a datastore with %j', (groups: Readonly<Record<string, number>>, expected) => {
  const counts = Object.entries(groups).map(([state, n]) => ({ datastore: 2, state, groups: n, since: 700 }))
  expect(judgeGroupCounts(store, counts).map(short)[2]).toEqual(expected)
  expect(judgeGroupCounts(off, counts).map(short)[2]).toEqual(['unknown', 'datastore_unreadable/2'])
})
