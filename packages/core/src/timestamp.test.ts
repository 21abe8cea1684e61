import { expect, test } from 'vitest'
import { formatDay, formatTimestamp, parseTimestamp } from './timestamp.ts'

test.each([
  ['2026-05-01', '2026-05-01T00:00:00Z'],
  ['2026-05-01 00:00', '2026-05-01T00:00:00Z'],
  ['2026-05-01T02:03:04Z', '2026-05-01T02:03:04Z'],
  ['2026-05-01T02:03:04.000Z', '2026-05-01T02:03:04Z'],
  ['2026-05-01T02:03:04.5', '2026-05-01T02:03:04.500000Z'],
  ['2026-05-01T02:03:04.1234567Z', '2026-05-01T02:03:04.123456Z'],
  ['2026-03-04T05:06:07.5+02:00', '2026-03-04T03:06:07.500000Z'],
  ['2026-01-01T00:30:00+0100', '2025-12-31T23:30:00Z'],
  ['2026-12-31T23:30:00-01', '2027-01-01T00:30:00Z'],
  ['0099-01-01', '0099-01-01T00:00:00Z'],
  [' 2024-02-29 ', '2024-02-29T00:00:00Z'],
])('%s is %s', (text, timestamp) => {
  expect(parseTimestamp(text)).toBe(timestamp)
})

test.each([
  '',
  'soon',
  '2026-02-29',
  '2026-13-01',
  '2026-00-10',
  '2026-05-01T24:00',
  '2026-05-01T02:60',
  '2026-05-01T02',
  // A plus that was not escaped in a query arrives as a blank.
  '2026-01-02T06:04:05 03:00',
  '0001-01-01T00:00+01:00',
  '9999-12-31T23:59-01:00',
  '0000-01-01',
  '1767322800',
])('%s is no moment', (text) => {
  expect(parseTimestamp(text)).toBeNull()
})

test.each([
  [1_777_679_999_999, '2026-05-01'],
  [1_777_680_000_000, '2026-05-02'],
])('%i milliseconds are in the day %s', (millis, day) => {
  expect(formatDay(millis)).toBe(day)
})

test.each([
  [0, '1970-01-01T00:00:00Z'],
  [1_777_600_800_000, '2026-05-01T02:00:00Z'],
  [1_777_600_800_250, '2026-05-01T02:00:00.250000Z'],
  [1_777_600_800_001, '2026-05-01T02:00:00.001000Z'],
])('%i milliseconds are %s', (millis, timestamp) => {
  expect(formatTimestamp(millis)).toBe(timestamp)
  expect(parseTimestamp(timestamp)).toBe(timestamp)
})
