import { expect, test } from 'vitest'
import { datetimeOf } from './datetime.ts'

test.each([
  [1780347604, '2026-06-01T21:00:04Z'],
  [1, '1970-01-01T00:00:01Z'],
  [253_402_300_799, '9999-12-31T23:59:59Z'],
  [253_402_300_800, null],
  [9e15, null],
  [0, null],
  [-1, null],
  [null, null],
  [undefined, null],
])('%s seconds are %s', (seconds, expected) => {
  expect(datetimeOf(seconds)).toBe(expected)
})
