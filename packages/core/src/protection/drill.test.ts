import { expect, test } from 'vitest'
import { type DrillProposal, type KnownRead, mostGuestsADay, proposeDrills, type ReaderTask } from './drill.ts'

const hour = 3600
const read = (backup_id: string, start: number, more: Partial<ReaderTask> = {}): ReaderTask => ({
  ...{ server_id: 1, upid: `UPID:${backup_id}:${start}`, worker_id: `tank:vm/${backup_id}/6A1CEEA8`, user: 'ann@pbs' },
  ...{ datastore_name: 'tank', backup_type: 'vm', backup_id, start, end: start + 90, outcome: 'ok' },
  ...more,
})
const upids = (tasks: ReadonlyArray<ReaderTask>, known: ReadonlyArray<KnownRead> = []) =>
  proposeDrills(tasks, known).map(({ upid }) => upid)

test('a task that read a backup proposes a drill of its snapshot', () => {
  const proposal: DrillProposal = {
    ...{ server_id: 1, upid: 'UPID:101:0', datastore_name: 'tank', namespace: '', backup_type: 'vm', backup_id: '101' },
    ...{ backup_time: '2026-06-01T02:30:00Z', started: '1970-01-01T00:00:00Z', duration_seconds: 90, outcome: 'ok' },
    performed_by: 'ann@pbs',
  }
  expect(proposeDrills([read('101', 0)], [])).toEqual([proposal])
})

test.each([
  ['ok', 'ok'],
  ['warning', 'ok'],
  ['error', 'failed'],
  ['unknown', 'unknown'],
])('of a task that ended %s the outcome is %s', (outcome, expected) => {
  expect(proposeDrills([read('101', 0, { outcome, end: null, worker_id: 'tank:vm/101' })], [])).toMatchObject([
    { outcome: expected, duration_seconds: null, backup_time: null },
  ])
})

test('a guest has one proposal a day, also next to a drill that is known', () => {
  const tasks = [read('101', 0), read('101', 5 * hour), read('102', hour), read('101', 25 * hour)]
  expect(upids(tasks)).toEqual(['UPID:101:0', 'UPID:102:3600', 'UPID:101:90000'])
  expect(upids(tasks, [read('101', 2 * hour)])).toEqual(['UPID:102:3600'])
  expect(upids(tasks, [read('101', 2 * hour, { server_id: 2 })])).toHaveLength(3)
})

test('a user who reads many guests of a server in a day is a sync job', () => {
  const many = (guests: number, more: Partial<ReaderTask> = {}) =>
    Array.from({ length: guests }, (_, nth) => read(String(nth), nth * 60, more))
  expect(upids(many(mostGuestsADay))).toHaveLength(mostGuestsADay)
  expect(upids(many(mostGuestsADay + 1))).toEqual([])
  expect(upids([...many(mostGuestsADay + 1), read('7', hour, { user: 'bob@pbs', upid: 'by bob' })])).toEqual(['by bob'])
})
