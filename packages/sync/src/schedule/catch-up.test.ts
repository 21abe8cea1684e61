import { expect, test } from 'vitest'
import { catchUpDelay } from './catch-up.ts'

const minute = 60_000
const names = Array.from({ length: 200 }, (_, n) => `pbs-${n}`)

test.each([
  [10 * minute, minute],
  [60 * minute, 5 * minute],
  [24 * 60 * minute, 5 * minute],
])('runs of an interval of %i ms are spread over the next %i ms', (interval, span) => {
  const delays = names.map((name) => catchUpDelay(name, interval))
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...delays)).toBeLessThan(span)
  const tenths = Array.from({ length: 10 }, (_, n) => delays.filter((d) => Math.floor((d / span) * 10) === n).length)
  expect(Math.max(...tenths)).toBeLessThan(40)
  expect(Math.min(...tenths)).toBeGreaterThan(5)
})

test('a name always waits as long', () => {
  expect(catchUpDelay('pbs-a', 60 * minute)).toBe(catchUpDelay('pbs-a', 60 * minute))
})
