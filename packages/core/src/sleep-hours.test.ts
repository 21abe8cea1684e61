import { expect, test } from 'vitest'
import { areSleepHours, asleepUntil } from './sleep-hours.ts'
import { formatTimestamp } from './timestamp.ts'

/** 2026-05-01 is a Friday. */
const rows: ReadonlyArray<readonly [string, string, string | null]> = [
  ['', '2026-05-01T00:00:00Z', null],
  ['22:00-06:00', '2026-05-01T21:59:59Z', null],
  ['22:00-06:00', '2026-05-01T22:00:00Z', '2026-05-02T06:00:00Z'],
  ['22:00-06:00', '2026-05-02T05:59:59Z', '2026-05-02T06:00:00Z'],
  ['22:00-06:00', '2026-05-02T06:00:00Z', null],
  ['09:00-17:30', '2026-05-01T12:00:00Z', '2026-05-01T17:30:00Z'],
  ['fri 22:00-06:00', '2026-05-02T05:00:00Z', '2026-05-02T06:00:00Z'],
  ['fri 22:00-06:00', '2026-05-02T22:00:00Z', null],
  ['mon-thu 20:00-24:00', '2026-05-01T21:00:00Z', null],
  ['mon-thu 20:00-24:00', '2026-04-30T21:00:00Z', '2026-05-01T00:00:00Z'],
  ['Sat-Mon 00:00-24:00', '2026-05-02T12:00:00Z', '2026-05-05T00:00:00Z'],
  ['22:00-24:00, 00:00-06:00', '2026-05-01T23:00:00Z', '2026-05-02T06:00:00Z'],
  ['mon-sat 00:00-24:00, sun 06:00-24:00', '2026-05-01T00:00:00Z', '2026-05-03T00:00:00Z'],
  ['mon-sat 00:00-24:00, sun 06:00-24:00', '2026-05-03T05:00:00Z', null],
  ['mon-sat 00:00-24:00, sun 06:00-24:00', '2026-05-03T06:00:00Z', '2026-05-10T00:00:00Z'],
  ['12:00-18:00, 10:00-20:00', '2026-05-01T13:00:00Z', '2026-05-01T20:00:00Z'],
  ['every night', '2026-05-01T00:00:00Z', null],
]

test.each(rows)('with %j a server is asleep at %s until %s', (text, now, until) => {
  const millis = asleepUntil(text, Date.parse(now))
  expect(millis === null ? null : formatTimestamp(millis)).toBe(until)
})

test.each([
  ['22:00-06:00', true],
  ['sun 22:00-06:00', true],
  ['mon-fri 20:00-07:30, sat-sun 00:00-24:00', true],
  ['00:00-23:59', true],
  ['', false],
  ['22:00', false],
  ['22-6', false],
  ['25:00-06:00', false],
  ['22:60-06:00', false],
  ['24:00-06:00', false],
  ['06:00-06:00', false],
  ['day 22:00-06:00', false],
  ['22:00-06:00,', false],
  ['00:00-24:00', false],
  ['00:00-12:00, 12:00-24:00', false],
])('%j are sleep hours: %j', (text, are) => {
  expect(areSleepHours(text)).toBe(are)
})
