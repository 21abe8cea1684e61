import { expect, test } from 'vitest'
import { isCron, nextDue } from './next-due.ts'

const since = Date.parse('2026-05-01T02:10:00Z')

test.each([
  ['', 60, '2026-05-01T03:10:00.000Z'],
  ['', 1, '2026-05-01T02:11:00.000Z'],
  ['', 0, null],
  ['0 3 * * *', 60, '2026-05-01T03:00:00.000Z'],
  ['0 2 * * *', 0, '2026-05-02T02:00:00.000Z'],
  ['*/15 * * * *', 0, '2026-05-01T02:15:00.000Z'],
  ['10 2 * * *', 0, '2026-05-02T02:10:00.000Z'],
  ['every night', 60, null],
  ['0 0 30 2 *', 60, null],
])(
  'with cron %j and an interval of %i minutes the next sync is due %s',
  (sync_schedule, sync_interval_minutes, due) => {
    const millis = nextDue({ sync_schedule, sync_interval_minutes }, since)
    expect(millis === null ? null : new Date(millis).toISOString()).toBe(due)
  },
)

test.each([
  ['30 2 * * *', true],
  ['*/5 * * * *', true],
  ['0 0 29 2 *', true],
  ['0 0 30 2 *', false],
  ['61 * * * *', false],
  ['every night', false],
  ['', false],
])('%j is a cron expression: %j', (text, is) => {
  expect(isCron(text)).toBe(is)
})
