import { expect, test } from 'vitest'
import { attemptAt } from './attempt.ts'
import { neverContacted } from './server-health.ts'

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
