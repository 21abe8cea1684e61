import { describe, expect, test } from 'vitest'
import { catchUpDelay, decide, isCron, nextDue, timingText } from './due-servers.ts'

const minute = 60_000
const hourly = { sync_schedule: '', sync_interval_minutes: 60 }
const nightly = { sync_schedule: '0 2 * * *', sync_interval_minutes: 5 }
const off = { sync_schedule: '', sync_interval_minutes: 0 }
const never = { sync_schedule: 'every night', sync_interval_minutes: 5 }
const delay = Math.ceil(catchUpDelay('pbs-a', 60 * minute) / minute)

/**
 * The timing, the minute its mark counts from (null: no mark), the minute since which it is
 * watched, now, and the decision.
 */
const rows: ReadonlyArray<readonly [string, object | null, number | null, number, number, string, number | null]> = [
  ['an unknown timing', hourly, null, 0, 500, 'watch', null],
  ['an interval that is not over', hourly, 0, 0, 59, 'wait', 60],
  ['an interval that is over', hourly, 0, 0, 60, 'due', 60],
  ['a look that comes a little late', hourly, 0, 0, 61, 'due', 60],
  ['a look that comes two intervals late', hourly, 0, 0, 125, 'due', 125],
  ['an interval that ended unwatched', hourly, 0, 200, 200, 'wait', null],
  ['the same after its delay', hourly, 0, 200, 200 + delay, 'due', 200 + delay],
  ['a night that is to come', nightly, 0, 0, 119, 'wait', 120],
  ['a night that has come', nightly, 0, 0, 120, 'due', 120],
  ['a night that is done', nightly, 120, 0, 121, 'wait', 120 + 24 * 60],
  ['ten nights missed', nightly, 0, 14_400, 14_405, 'due', 14_405],
  ['a mark of a clock that was 400 days ahead', hourly, 400 * 24 * 60, 0, 60, 'watch', null],
  ['a mark that a clock of another machine made a minute ahead', hourly, 61, 0, 60, 'wait', 121],
  ['an interval that is over since a clock was set back', hourly, 0, 400 * 24 * 60, 61, 'wait', null],
  ['an interval of 0', off, 0, 0, 1_000_000, 'wait', null],
  ['a schedule that is none', never, 0, 0, 1_000_000, 'wait', null],
  ['a server that follows the settings again', null, 0, 0, 1_000_000, 'wait', null],
]

describe('the schedule', () => {
  test.each(rows)('%s', (_, timing, from, watched, now, tag, at) => {
    const mine = timing as typeof hourly | null
    const mark = from === null ? null : { timing: timingText(mine), countedFrom: from * minute }
    const decision = decide(
      { name: 'pbs-a', timing: mine, mark },
      { now: now * minute, watchedSince: watched * minute },
    )
    expect(decision._tag).toBe(tag)
    if (at !== null)
      expect(decision).toMatchObject(tag === 'wait' ? { until: at * minute } : { countFrom: at * minute })
  })

  test('starts counting again with another timing, and without one', () => {
    const mark = { timing: timingText(hourly), countedFrom: 0 }
    const at = { now: 1000 * minute, watchedSince: 0 }
    expect(decide({ name: 'pbs-a', timing: { ...hourly, sync_interval_minutes: 30 }, mark }, at)).toEqual({
      _tag: 'watch',
    })
    expect(decide({ name: 'pbs-a', timing: null, mark }, at)).toEqual({ _tag: 'watch' })
  })

  test('catches up the run of the settings at once', () => {
    const mark = { timing: timingText(hourly), countedFrom: 0 }
    const at = { now: 200 * minute, watchedSince: 200 * minute }
    expect(decide({ name: '', timing: hourly, mark }, at)).toEqual({ _tag: 'due', countFrom: 200 * minute })
  })
})

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
