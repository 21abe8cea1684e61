import { describe, expect, test } from 'vitest'
import {
  attemptAt,
  type Contact,
  clockDiffers,
  concernsServer,
  failureScope,
  neverContacted,
  nextHealth,
  type ServerHealth,
  statusAfter,
} from './server-health.ts'

const earlier = '2026-05-01T02:00:00Z'
const at = '2026-05-01T03:00:00Z'
const shown = '22:22'

const well: ServerHealth = {
  ...neverContacted,
  status: 'reachable',
  status_since: earlier,
  latency_ms: 12,
  tls_state: 'ok',
  last_seen_at: earlier,
}
const down: ServerHealth = {
  ...neverContacted,
  status: 'unreachable',
  status_since: earlier,
  consecutive_failures: 4,
  last_error_code: 'unreachable',
  last_error: 'no route',
  last_error_at: earlier,
  tls_state: 'ok',
  failed_run: 6,
  last_seen_at: earlier,
}
const changed: ServerHealth = {
  ...down,
  last_error_code: 'tls_fingerprint_mismatch',
  tls_state: 'fingerprint_changed',
  presented_fingerprint: shown,
}

const answered = (latencyMs: number | null, checked = true): Contact => ({
  _tag: 'answered',
  at,
  runId: 7,
  checked,
  latencyMs,
})
type Failure = Extract<Contact, { readonly _tag: 'failed' }>
const failed = (code: string, more: Partial<Failure> = {}): Contact => ({
  _tag: 'failed',
  at,
  runId: 7,
  checked: true,
  code,
  message: `it is ${code}`,
  presentedFingerprint: null,
  ...more,
})
const error = (code: string) => ({ last_error_code: code, last_error: `it is ${code}`, last_error_at: at })
const rejectedWith = { presentedFingerprint: shown }

const seen = { ...neverContacted, status: 'reachable', tls_state: 'ok', last_seen_at: at }
const first = { consecutive_failures: 1, failed_run: 7, latency_ms: null }

test.each<[string, ServerHealth | null, Contact, ServerHealth]>([
  ['nothing heard yet, answers', null, answered(9), { ...seen, status_since: at, latency_ms: 9 }],
  ['well, answers', well, answered(9), { ...seen, status_since: earlier, latency_ms: 9 }],
  ['well, answers unmeasured', well, answered(null), { ...seen, status_since: earlier, latency_ms: 12 }],
  [
    'well, answers with a clock that is ahead',
    well,
    { ...answered(9), clockOffsetSeconds: 75 } as Contact,
    { ...seen, status_since: earlier, latency_ms: 9, clock_offset_seconds: 75 },
  ],
  [
    'ahead, answers without its time',
    { ...well, clock_offset_seconds: 75 },
    answered(9),
    { ...seen, status_since: earlier, latency_ms: 9, clock_offset_seconds: 75 },
  ],
  [
    'well, answers a test with a token that may write',
    well,
    { ...answered(9), tokenWarning: 'it may write' } as Contact,
    { ...seen, status_since: earlier, latency_ms: 9, token_warning: 'it may write' },
  ],
  [
    'a token that may write, answers a run',
    { ...well, token_warning: 'it may write' },
    answered(9),
    { ...seen, status_since: earlier, latency_ms: 9, token_warning: 'it may write' },
  ],
  ['down, answers', down, answered(9), { ...seen, status_since: at, latency_ms: 9 }],
  ['changed, answers again', changed, answered(9), { ...seen, status_since: at, latency_ms: 9 }],
  [
    'answers, and nothing is checked',
    well,
    answered(9, false),
    { ...seen, status_since: earlier, latency_ms: 9, tls_state: 'unknown' },
  ],
  [
    'nothing heard yet, unreachable',
    null,
    failed('unreachable'),
    { ...neverContacted, ...first, ...error('unreachable'), status: 'unreachable', status_since: at },
  ],
  [
    'well, times out',
    well,
    failed('timeout'),
    { ...well, ...first, ...error('timeout'), status: 'unreachable', status_since: at },
  ],
  [
    'down, unreachable in the next run',
    down,
    failed('unreachable'),
    { ...down, ...error('unreachable'), consecutive_failures: 5, failed_run: 7 },
  ],
  [
    'down, unreachable once more in the same run',
    { ...down, failed_run: 7 },
    failed('unreachable'),
    { ...down, ...error('unreachable'), failed_run: 7 },
  ],
  [
    'well, another certificate',
    well,
    failed('tls_fingerprint_mismatch', rejectedWith),
    {
      ...well,
      ...first,
      ...error('tls_fingerprint_mismatch'),
      status: 'unreachable',
      status_since: at,
      tls_state: 'fingerprint_changed',
      presented_fingerprint: shown,
    },
  ],
  [
    'changed, unreachable: the last look at the certificate stands',
    changed,
    failed('unreachable'),
    { ...changed, ...error('unreachable'), consecutive_failures: 5, failed_run: 7 },
  ],
  [
    'well, a certificate that does not verify',
    well,
    failed('tls_untrusted', rejectedWith),
    {
      ...well,
      ...first,
      ...error('tls_untrusted'),
      status: 'unreachable',
      status_since: at,
      tls_state: 'untrusted',
      presented_fingerprint: shown,
    },
  ],
  [
    'well, the token is refused: it answers',
    well,
    failed('unauthorized'),
    { ...well, ...first, ...error('unauthorized') },
  ],
  [
    'changed, then pinned again, the token is refused',
    changed,
    failed('unauthorized'),
    {
      ...changed,
      ...error('unauthorized'),
      status: 'reachable',
      status_since: at,
      consecutive_failures: 5,
      tls_state: 'ok',
      presented_fingerprint: '',
      failed_run: 7,
    },
  ],
  [
    'down, something else answers there',
    down,
    failed('protocol', { checked: false }),
    {
      ...down,
      ...error('protocol'),
      status: 'reachable',
      status_since: at,
      consecutive_failures: 5,
      tls_state: 'unknown',
      failed_run: 7,
    },
  ],
])('%s', (_, previous, contact, expected) => {
  expect(nextHealth(previous, contact)).toEqual(expected)
})

describe('a token that sees no datastore', () => {
  const blind = nextHealth(well, failed('forbidden'))

  test('leaves its server reachable, with the error', () => {
    expect(blind).toMatchObject({ status: 'reachable', ...error('forbidden'), consecutive_failures: 1 })
  })

  test('is not mended by an answer to the smallest request', () => {
    const health = nextHealth(blind, answered(9))
    expect(health).toEqual({ ...blind, latency_ms: 9, last_seen_at: at })
    expect(nextHealth(health, answered(null))).toEqual(health)
  })

  test.each([
    ['a list', { listed: true }],
    ['a test', { runId: null }],
  ])('is mended by %s', (_, reported) => {
    expect(nextHealth(blind, { ...answered(null), ...reported } as Contact)).toMatchObject({
      last_error_code: '',
      last_error: '',
      last_error_at: null,
      consecutive_failures: 0,
      failed_run: null,
    })
  })
})

test('an error is as long as its column, and cut between characters', () => {
  const message = `${'x'.repeat(1999)}😀`
  const { last_error } = nextHealth(null, failed('timeout', { message }))
  expect([last_error.length, last_error.isWellFormed()]).toEqual([2000, true])
})

test.each([
  ['unreachable', true, 'unreachable'],
  ['timeout', true, 'unreachable'],
  ['tls_fingerprint_mismatch', true, 'unreachable'],
  ['tls_untrusted', true, 'unreachable'],
  ['unauthorized', true, 'reachable'],
  ['forbidden', false, 'reachable'],
  ['maintenance', false, 'reachable'],
  ['not_mounted', false, 'reachable'],
  ['protocol', false, 'reachable'],
])('%s concerns the whole server: %s, and leaves it %s', (code, whole, status) => {
  expect([concernsServer(code), statusAfter(code)]).toEqual([whole, status])
})

test.each([
  ['unreachable', 'unclear'],
  ['timeout', 'unclear'],
  ['tls_fingerprint_mismatch', 'server'],
  ['tls_untrusted', 'server'],
  ['unauthorized', 'unclear'],
  ['forbidden', 'list'],
  ['maintenance', 'list'],
  ['not_mounted', 'list'],
  ['protocol', 'list'],
  ['cut_off', 'list'],
  ['', 'list'],
] as const)('a list that failed as %s: the trouble of %s', (code, whose) => {
  expect(failureScope(code)).toBe(whose)
  expect(concernsServer(code)).toBe(whose !== 'list')
})

const run = 7

test.each([
  ['never heard of', null, 'whole'],
  ['well', { consecutive_failures: 0, failed_run: null }, 'whole'],
  ['failed in the last run', { consecutive_failures: 1, failed_run: 6 }, 'whole'],
  ['failed in two runs', { consecutive_failures: 2, failed_run: 6 }, 'whole'],
  ['failed in three runs', { consecutive_failures: 3, failed_run: 6 }, 'once'],
  ['failed in many runs', { consecutive_failures: 900, failed_run: 6 }, 'once'],
  ['failed in this run for the first time', { consecutive_failures: 1, failed_run: run }, 'whole'],
  ['failed in this run for the third time', { consecutive_failures: 3, failed_run: run }, 'whole'],
  ['failed in three runs and in this one', { consecutive_failures: 4, failed_run: run }, 'none'],
])('a server that %s', (_, change, attempt) => {
  expect(attemptAt(change === null ? null : { ...neverContacted, ...change }, run)).toBe(attempt)
})

test.each([
  [null, false],
  [0, false],
  [60, false],
  [-60, false],
  [61, true],
  [-61, true],
])('a clock that is off by %s seconds misleads: %s', (offset, differs) => {
  expect(clockDiffers(offset)).toBe(differs)
})
