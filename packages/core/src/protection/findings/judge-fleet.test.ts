import { describe, expect, test } from 'vitest'
import type { DatastoreFacts, ListFacts } from './datastore-findings.ts'
import type { JudgedJob } from './job-findings.ts'
import { type FleetFacts, judgeFleet } from './judge-fleet.ts'
import type { ServerFacts } from './server-findings.ts'
import type { BranchFacts, HeldFacts } from './work-findings.ts'

const server = (more: Partial<ServerFacts> = {}): ServerFacts => ({
  ...{ id: 1, name: 'pbs-a', host: '10.0.0.5', status: 'reachable', statusSince: 100, errorCode: '', error: '' },
  ...{ errorAt: null, clockOffset: 0, lastSeen: 900, privileges: null },
  ...more,
})
const unreachable = server({
  ...{ status: 'unreachable', statusSince: 500, errorCode: 'unreachable', error: 'connection refused', errorAt: 800 },
})
const lists: ListFacts = { known: 2, oldest: 700, newest: 900, overdue: 0, stuck: null }
const store = (more: Partial<DatastoreFacts> = {}): DatastoreFacts => ({
  ...{ id: 2, server: server(), name: 'tank', listed: true, maintenance: '', mountStatus: '', backendType: '' },
  ...{ usedBytes: 50, totalBytes: 100, usageAt: 850, lastSeen: 900, lists },
  ...more,
})
const job = (health: string, more: Partial<JudgedJob> = {}): JudgedJob => ({
  ...{ id: 3, server: server(), type: 'verify', jobId: 'v', health, healthSince: 600, missedRuns: 0, failedRuns: 0 },
  ...{ firstError: '', lastGoodRun: 400, readAt: 900 },
  ...more,
})
const held = (more: Partial<HeldFacts> = {}): HeldFacts => ({
  ...{
    id: 4,
    server: { id: 1, name: 'pbs-a' },
    title: 'snapshots of pbs-a/tank',
    state: 'waiting',
    reason: 'too_many',
  },
  ...{ count: 60, since: 300, decidedBy: null, decidedAt: null },
  ...more,
})
const branch = (status: string, more: Partial<BranchFacts> = {}): BranchFacts => ({
  ...{ id: 5, name: 'pbs-sync-1', status, conflicts: 0, since: 200 },
  ...more,
})

/** What is judged of one kind, in short: the cause's severity, since and sentence, or why there is none. */
function judged(facts: Partial<FleetFacts>, key: string): ReadonlyArray<unknown> {
  const none = { servers: [], datastores: [], jobs: [], groups: [], groupCounts: [], syncs: [], held: [], branches: [] }
  const one = judgeFleet({ ...none, workers: { running: 1, lastHeartbeat: 1 }, ...facts }).get(key)
  if (one === undefined) return ['not judged']
  if (one._tag === 'found') return [one.cause.severity, one.cause.since, one.cause.sentence]
  return one._tag === 'clear' ? ['clear', one.by] : ['unknown', one.under]
}

describe('a server', () => {
  const answered = 'pbs-a answered at 1970-01-01T00:15:00Z.'
  const other = 'pbs-a answered at 1970-01-01T00:13:20Z, with another error.'
  const failed = (errorCode: string, status: string) => server({ errorCode, status, error: 'why', errorAt: 800 })
  const mismatch = failed('tls_fingerprint_mismatch', 'unreachable')
  test.each<readonly [string, ServerFacts, ReadonlyArray<ReadonlyArray<unknown>>]>([
    [
      'answers',
      server(),
      [
        ['clear', answered],
        ['clear', answered],
        ['clear', answered],
        ['clear', answered],
      ],
    ],
    [
      'was never asked',
      server({ status: 'unknown', statusSince: null, lastSeen: null }),
      [
        ['unknown', null],
        ['unknown', null],
        ['unknown', null],
        ['unknown', null],
      ],
    ],
    [
      'cannot be reached',
      unreachable,
      [
        ['critical', 500, 'pbs-a cannot be reached: connection refused'],
        ['unknown', 'server_unreachable/1'],
        ['unknown', 'server_unreachable/1'],
        ['unknown', 'server_unreachable/1'],
      ],
    ],
    [
      'refuses the token',
      failed('unauthorized', 'reachable'),
      [
        ['clear', other],
        ['critical', 800, 'pbs-a refuses its API token: why'],
        ['clear', other],
        ['clear', other],
      ],
    ],
    [
      'shows another certificate',
      mismatch,
      [
        ['clear', other],
        ['unknown', 'certificate_changed/1'],
        ['critical', 800, 'pbs-a shows another certificate than the pinned one: why'],
        ['clear', 'pbs-a showed another certificate at 1970-01-01T00:13:20Z.'],
      ],
    ],
    [
      'shows an untrusted certificate',
      failed('tls_untrusted', 'unreachable'),
      [
        ['clear', other],
        ['unknown', 'certificate_untrusted/1'],
        ['clear', 'pbs-a showed another certificate at 1970-01-01T00:13:20Z.'],
        ['critical', 800, 'pbs-a shows a certificate that no known authority signed: why'],
      ],
    ],
  ])('that %s', (_, facts, expected) => {
    const kinds = ['server_unreachable', 'server_refused', 'certificate_changed', 'certificate_untrusted']
    expect(kinds.map((kind) => judged({ servers: [facts] }, `${kind}/1`))).toEqual(expected)
  })

  test.each<readonly [Partial<ServerFacts>, ReadonlyArray<unknown>]>([
    [{ clockOffset: 60 }, ['clear', 'The clock of pbs-a was right at 1970-01-01T00:15:00Z.']],
    [{ clockOffset: 61 }, ['warning', 900, 'The clock of pbs-a is ahead by more than a minute, so its times mislead']],
    [
      { clockOffset: -61 },
      ['warning', 900, 'The clock of pbs-a is behind by more than a minute, so its times mislead'],
    ],
    [{ clockOffset: null }, ['unknown', null]],
    [{ ...unreachable, clockOffset: 61 }, ['unknown', 'server_unreachable/1']],
  ])('with the clock %j', (more, expected) => {
    expect(judged({ servers: [server(more)] }, 'clock_differs/1')).toEqual(expected)
  })

  test.each<readonly [ServerFacts['privileges'], ReadonlyArray<unknown>]>([
    [null, ['unknown', null]],
    [
      { at: 60, missing: ['Sys.Audit on /'], whole: false },
      ['warning', 60, 'The token of pbs-a lacks privileges: Sys.Audit on /'],
    ],
    [{ at: 60, missing: [], whole: false }, ['unknown', null]],
    [{ at: 60, missing: [], whole: true }, ['clear', 'A run read every list of pbs-a at 1970-01-01T00:01:00Z.']],
  ])('whose runs said %j', (privileges, expected) => {
    expect(judged({ servers: [server({ privileges })] }, 'privileges_missing/1')).toEqual(expected)
  })
})

describe('a datastore', () => {
  const off = 'datastore_unreadable/2'
  test.each<readonly [string, Partial<DatastoreFacts>, ReadonlyArray<unknown>]>([
    [off, {}, ['clear', 'pbs-a listed it as readable at 1970-01-01T00:15:00Z.']],
    [off, { maintenance: 'read-only: kept' }, ['clear', 'pbs-a listed it as readable at 1970-01-01T00:15:00Z.']],
    [
      off,
      { maintenance: 'offline: disk' },
      ['critical', 900, 'tank on pbs-a is in maintenance (offline: disk), so its backups cannot be read'],
    ],
    [
      off,
      { mountStatus: 'notmounted' },
      ['critical', 900, 'tank on pbs-a is not mounted, so its backups cannot be read'],
    ],
    [off, { mountStatus: 'notmounted', server: unreachable }, ['unknown', 'server_unreachable/1']],
    [off, { mountStatus: 'notmounted', listed: false }, ['unknown', null]],
    ['datastore_nearly_full/2', { usedBytes: 89 }, ['clear', 'It was 89 % full at 1970-01-01T00:14:10Z.']],
    ['datastore_nearly_full/2', { usedBytes: 90 }, ['warning', 850, 'tank on pbs-a is 90 % full']],
    ['datastore_nearly_full/2', { usedBytes: 95 }, ['critical', 850, 'tank on pbs-a is 95 % full']],
    ['datastore_nearly_full/2', { usedBytes: 95, backendType: 's3' }, ['unknown', null]],
    ['datastore_nearly_full/2', { usedBytes: null }, ['unknown', null]],
    ['datastore_nearly_full/2', { usedBytes: 95, server: unreachable }, ['unknown', 'server_unreachable/1']],
    ['list_not_read/2', {}, ['clear', 'Each of its lists was read at 1970-01-01T00:11:40Z or later.']],
    ['list_not_read/2', { lists: { ...lists, known: 0, oldest: null, newest: null } }, ['unknown', null]],
    [
      'list_not_read/2',
      { lists: { ...lists, overdue: 1 } },
      ['warning', 700, '1 list of tank on pbs-a was not read for a long time, so nothing new is known of it'],
    ],
    ['list_not_read/2', { lists: { ...lists, overdue: 1 }, maintenance: 'offline' }, ['unknown', off]],
    ['list_not_read/2', { lists: { ...lists, overdue: 1 }, server: unreachable }, ['unknown', 'server_unreachable/1']],
    [
      'datastore_stuck/2',
      { lists: { ...lists, stuck: { at: 950, error: 'it hung' } } },
      ['critical', 950, 'tank on pbs-a does not answer in time: it hung'],
    ],
    [
      'list_not_read/2',
      { lists: { ...lists, overdue: 1, stuck: { at: 950, error: '' } } },
      ['unknown', 'datastore_stuck/2'],
    ],
    [
      'datastore_stuck/2',
      { lists: { ...lists, stuck: { at: 850, error: 'it hung' } } },
      ['clear', 'A list of it was read at 1970-01-01T00:15:00Z.'],
    ],
    ['datastore_stuck/2', { mountStatus: 'notmounted' }, ['unknown', off]],
  ])('%s of %j', (key, more, expected) => {
    expect(judged({ datastores: [store(more)] }, key)).toEqual(expected)
  })
})

describe('a job', () => {
  const started = ['clear', 'It has started, as its tasks say at 1970-01-01T00:15:00Z.']
  const ranWell = ['clear', 'It ran well at 1970-01-01T00:06:40Z.']
  test.each<readonly [JudgedJob, ReadonlyArray<unknown>, ReadonlyArray<unknown>]>([
    [job('ok'), started, ranWell],
    [job('warning'), started, ranWell],
    [job('waiting'), started, ranWell],
    [job('running'), started, ['unknown', null]],
    [job('off'), ['clear', 'It is switched off.'], ['clear', 'It is switched off.']],
    [job('unknown'), ['unknown', null], ['unknown', null]],
    [
      job('missed', { missedRuns: 3 }),
      ['warning', 600, 'The verify job v on pbs-a was due and has not started, 3 times in a row'],
      ['unknown', 'job_missed/3'],
    ],
    [
      job('failing', { failedRuns: 2, firstError: 'no space' }),
      started,
      ['warning', 600, 'The verify job v on pbs-a has failed 2 times in a row: no space'],
    ],
    [job('missed', { server: unreachable }), ['unknown', 'server_unreachable/1'], ['unknown', 'server_unreachable/1']],
    [job('ok', { server: unreachable }), ['unknown', 'server_unreachable/1'], ['unknown', 'server_unreachable/1']],
  ])('$health', (facts, missed, failing) => {
    expect([judged({ jobs: [facts] }, 'job_missed/3'), judged({ jobs: [facts] }, 'job_failing/3')]).toEqual([
      missed,
      failing,
    ])
  })
})

test.each<readonly [Partial<HeldFacts>, ReadonlyArray<unknown>]>([
  [
    {},
    [
      'warning',
      300,
      '60 deletions of snapshots of pbs-a/tank wait for a decision: more rows are missing than guard_max_share and guard_min_rows allow at once',
    ],
  ],
  [{ count: 0 }, ['clear', 'Its rows came back, or were deleted.']],
  [{ state: 'dismissed', decidedBy: 'ann', decidedAt: 360 }, ['clear', 'ann dismissed them at 1970-01-01T00:06:00Z.']],
])('held deletions %j', (more, expected) => {
  expect(judged({ held: [held(more)] }, 'deletions_held/4')).toEqual(expected)
})

test.each<readonly [BranchFacts, ReadonlyArray<unknown>]>([
  [branch('ready'), ['warning', 200, 'Branch pbs-sync-1 is ready and waits for its merge']],
  [branch('in_review', { conflicts: 2 }), ['warning', 200, 'Branch pbs-sync-1 waits for 2 decisions']],
  [branch('merged'), ['clear', 'It is merged.']],
  [branch('open'), ['clear', 'It is open.']],
])('a branch %j', (facts, expected) => {
  expect(judged({ branches: [facts] }, 'branch_waiting/5')).toEqual(expected)
})

test('workers are silent when none runs', () => {
  const workers = { running: 0, lastHeartbeat: 100 }
  const silent = ['critical', 100, 'No worker runs, so nothing is read and no webhook is sent']
  expect(judged({ workers }, 'workers_silent/0')).toEqual(silent)
  expect(judged({}, 'workers_silent/0')).toEqual(['clear', 'A worker reported.'])
})

test('what lies on a server that cannot be read opens nothing and closes nothing', () => {
  const facts = {
    ...{
      groups: [],
      groupCounts: [],
      syncs: [],
      servers: [unreachable],
      held: [],
      branches: [],
      workers: { running: 1, lastHeartbeat: 1 },
    },
    datastores: ['', 'offline'].map((maintenance, nth) =>
      store({ id: nth, maintenance, server: unreachable, usedBytes: 99 }),
    ),
    jobs: ['missed', 'failing', 'ok'].map((health, nth) => job(health, { id: nth, server: unreachable })),
  }
  const below = [...judgeFleet(facts).values()].filter((one) => one._tag !== 'unknown')
  expect(below.map((one) => (one._tag === 'found' ? one.cause.subject.kind : one.key))).toEqual([
    'server_unreachable',
    'workers_silent/0',
  ])
})
