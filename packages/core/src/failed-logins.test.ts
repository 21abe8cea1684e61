import { expect, test } from 'vitest'
import { afterFailure, type FailedLogins, loginWait } from './failed-logins.ts'

const limit = { free: 3, longestWait: 10_000 }
const now = 1_000_000

test.each([
  ['no failure', undefined, 0],
  ['fewer than are free', { failures: 2, last: now }, 0],
  ['the first that is not', { failures: 3, last: now }, 1000],
  ['the next', { failures: 4, last: now }, 2000],
  ['the one after it', { failures: 5, last: now }, 4000],
  ['many', { failures: 7, last: now }, 10_000],
  ['very many', { failures: 5000, last: now }, 10_000],
  ['half of the wait is over', { failures: 4, last: now - 1000 }, 1000],
  ['the wait is over', { failures: 4, last: now - 2000 }, 0],
  ['an hour ago', { failures: 5000, last: now - 3_600_000 }, 0],
  ['a clock that was set back', { failures: 5000, last: now + 1 }, 0],
] as const)('%s: a login waits', (_, record, wait) => {
  expect(loginWait(record, limit, now)).toBe(wait)
})

test('failures in a row add up until they are an hour old', () => {
  let record: FailedLogins | undefined
  for (const at of [0, 10, 20]) record = afterFailure(record, at)
  expect(record).toEqual({ failures: 3, last: 20 })
  expect(afterFailure(record, 3_600_020)).toEqual({ failures: 1, last: 3_600_020 })
})
