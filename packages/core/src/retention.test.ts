import { expect, test } from 'vitest'
import { removedBefore } from './retention.ts'

const now = Date.parse('2026-05-01T02:00:00Z')

test.each([
  [90, '2026-01-31T02:00:00.000Z'],
  [1, '2026-04-30T02:00:00.000Z'],
  [0, null],
])('what is kept for %i days is removed when it is from before %s', (days, before) => {
  const millis = removedBefore(days, now)
  expect(millis === null ? null : new Date(millis).toISOString()).toBe(before)
})
