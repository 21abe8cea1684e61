import { expect, test } from 'vitest'
import { clockOffset } from './pbs-reader.ts'

const now = Date.parse('2026-06-01T00:00:10Z')
const at = (seconds: number) => now / 1000 + seconds

test.each([
  ['the same second', at(0), 20, 0],
  ['a second that has just begun', at(-0.9), 20, 0],
  ['a second ahead', at(1), 20, 0],
  ['half of a slow request behind', at(-6), 10_000, 0],
  ['ahead', at(75), 20, 75],
  ['behind', at(-3600), 20, -3600],
  ['behind, after a slow request', at(-120), 10_000, -115],
  ['of a year that no calendar has', 1e15, 20, null],
])('a clock of %s', (_, seconds, millis, offset) => {
  expect(clockOffset(seconds, { now, millis })).toBe(offset)
})
