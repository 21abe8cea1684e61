import { expect, test } from 'vitest'
import { nextEvent } from './schedule.ts'

const at = (text: string) => Date.parse(text) / 1000

test.each([
  ['hourly', '2026-06-01T10:59:59Z', 'UTC', '2026-06-01T11:00:00Z'],
  ['daily', '2026-06-01T10:00:00Z', 'UTC', '2026-06-02T00:00:00Z'],
  ['daily', '2026-06-01T00:00:00Z', 'UTC', '2026-06-02T00:00:00Z'],
  ['02:30', '2026-06-01T02:00:00Z', 'UTC', '2026-06-01T02:30:00Z'],
  ['02:30', '2026-06-01T02:00:00Z', 'Europe/Vienna', '2026-06-02T00:30:00Z'],
  ['02:30', '2026-06-01T02:00:00Z', 'Asia/Kolkata', '2026-06-01T21:00:00Z'],
  ['hourly', '2026-06-01T10:00:00Z', 'Asia/Kolkata', '2026-06-01T10:30:00Z'],
  ['mon..fri 8..17:0/15', '2026-06-01T10:01:00Z', 'UTC', '2026-06-01T10:15:00Z'],
  ['*-*-01 04:30', '2026-06-01T10:00:00Z', 'UTC', '2026-07-01T04:30:00Z'],
  ['sat 05:00', '2026-06-01T00:00:00Z', 'UTC', '2026-06-06T05:00:00Z'],
  ['weekly', '2026-06-01T00:00:00Z', 'UTC', '2026-06-08T00:00:00Z'],
  ['12:00', '2026-10-24T12:00:00Z', 'Europe/Vienna', '2026-10-25T11:00:00Z'],
])('%s after %s in %s is %s', (schedule, after, timezone, expected) => {
  expect(nextEvent(schedule, at(after), timezone)).toBe(at(expected))
})

test.each([null, '', 'sometimes', '2021-02-29'])('%s has no next event', (schedule) => {
  expect(nextEvent(schedule, 0, 'UTC')).toBeNull()
})
