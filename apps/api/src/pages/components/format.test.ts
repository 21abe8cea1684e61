import { expect, test } from 'vitest'
import { formatAge, formatBytes, formatCount, formatDuration, formatTime } from './format.ts'

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 KiB'],
  [1024 ** 3 * 120.4, '120 GiB'],
  [Number.MAX_SAFE_INTEGER, '8 PiB'],
])('%d bytes read %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text)
})

test.each([
  ['2026-05-01T02:00:00Z', '2026-05-01 02:00:00 UTC'],
  ['2026-05-01T02:00:00.123456Z', '2026-05-01 02:00:00 UTC'],
])('%s reads %s', (time, text) => {
  expect(formatTime(time)).toBe(text)
})

const now = Date.parse('2026-05-01T02:00:00Z')
test.each([
  ['2026-05-01T02:00:00Z', '0 s ago'],
  ['2026-05-01T01:59:01Z', '59 s ago'],
  ['2026-05-01T01:59:00Z', '1 min ago'],
  ['2026-05-01T01:00:01Z', '59 min ago'],
  ['2026-04-29T02:00:01Z', '47 h ago'],
  ['2026-04-29T02:00:00Z', '2 d ago'],
  ['2025-05-01T02:00:00Z', '365 d ago'],
  ['2026-05-01T05:30:00Z', 'in 3 h'],
])('at two o’clock %s is %s', (time, text) => {
  expect(formatAge(time, now)).toBe(text)
})

test('a count has groups of three', () => {
  expect([7, 1234567].map(formatCount)).toEqual(['7', '1\u202f234\u202f567'])
})

test.each([
  ['2026-05-01T02:00:12Z', '12 s'],
  ['2026-05-01T02:03:05Z', '3 min 5 s'],
  ['2026-05-01T04:10:59Z', '2 h 10 min'],
  ['2026-05-01T01:59:59Z', '0 s'],
])('from two o’clock to %s are %s', (end, text) => {
  expect(formatDuration('2026-05-01T02:00:00Z', end)).toBe(text)
})
