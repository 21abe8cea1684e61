import { expect, test } from 'vitest'
import { parseTimestamptz } from './type-parsers.ts'

test.each([
  ['2026-05-01 02:00:00+00', '2026-05-01T02:00:00Z'],
  ['2026-05-01 02:00:00.5+00', '2026-05-01T02:00:00.500000Z'],
  ['2026-05-01 02:00:00.000001+00', '2026-05-01T02:00:00.000001Z'],
  ['2026-05-01 02:00:00.123456+02', '2026-05-01T00:00:00.123456Z'],
  ['2026-05-01 02:00:00-03:30', '2026-05-01T05:30:00Z'],
  ['infinity', 'infinity'],
])('%s is read as %s', (text, expected) => {
  expect(parseTimestamptz(text)).toBe(expected)
})
