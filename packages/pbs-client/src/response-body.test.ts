import { expect, test } from 'vitest'
import { Pace } from './response-body.ts'

test('silences of up to the timeout, altogether twice as long', () => {
  const pace = new Pace(30)
  expect(pace.remainingMillis).toBe(30_000)
  pace.note(29_000, 1)
  expect(pace.remainingMillis).toBe(30_000)
  pace.note(29_000, 1)
  expect(Math.round(pace.remainingMillis)).toBe(2000)
  pace.note(2001, 0)
  expect([pace.remainingMillis, pace.failure().message]).toEqual([
    0,
    'only 2 bytes of the answer came in 60 s, and its end did not',
  ])
})

test('a second more for every 8 KiB, and 15 minutes at most', () => {
  const pace = new Pace(600)
  for (let second = 0; second < 880; second += 1) pace.note(1000, 64 * 1024)
  expect(Math.round(pace.remainingMillis)).toBe(20_000)
  pace.note(20_000, 10 ** 9)
  expect(pace.remainingMillis).toBe(0)
})

test('one silence that is too long', () => {
  const pace = new Pace(30)
  pace.note(30_000, 0)
  expect(pace.failure().message).toBe('no byte for 30 s inside the answer')
})
