import { formatTimestamp } from '@netbox-pbs/core'
import { FastCheck } from 'effect'
import { expect, test } from 'vitest'
import { datetimeOf, firstLine, lastRunState } from './facts.ts'

test.each([
  ['web01\n', 'web01'],
  ['  web01  \nsecond line', 'web01'],
  ['', ''],
  ['\nlater', ''],
  ['größe ✓', 'größe ✓'],
  ['a\0b', 'ab'],
  ['a\ud800b', 'a\ufffdb'],
  [null, ''],
])('the first line of %j is %j', (notes, expected) => {
  expect(firstLine(notes)).toBe(expected)
})

test.each([
  [1780347604, '2026-06-01T21:00:04Z'],
  [1, '1970-01-01T00:00:01Z'],
  [253_402_300_799, '9999-12-31T23:59:59Z'],
  [253_402_300_800, null],
  [9e15, null],
  [0, null],
  [-1, null],
  [null, null],
])('%s seconds are %s', (seconds, expected) => {
  expect(datetimeOf(seconds)).toBe(expected)
})

test.each([
  [null, null, 'never'],
  [null, 'UPID:…', 'running'],
  ['OK', 'UPID:…', 'ok'],
  ['WARNINGS: 2', 'UPID:…', 'warning'],
  ['WARNINGS: many', 'UPID:…', 'error'],
  ['unknown', 'UPID:…', 'unknown'],
  ['connection refused', 'UPID:…', 'error'],
  ['OK', null, 'ok'],
])('state %j of task %j is %s', (state, upid, expected) => {
  expect(lastRunState(state, upid)).toBe(expected)
})

test('a time is written as core writes it, whatever was written before', () => {
  FastCheck.assert(
    FastCheck.property(FastCheck.integer({ min: 1, max: 253_402_300_799 }), (seconds) => {
      expect(datetimeOf(seconds)).toBe(formatTimestamp(seconds * 1000))
    }),
    { numRuns: 1000 },
  )
})
