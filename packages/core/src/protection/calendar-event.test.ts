import { FastCheck as fc } from 'effect'
import { describe, expect, test } from 'vitest'
import { nextEvent, parseCalendarEvent } from './calendar-event.ts'
import { type TimeZone, timeZone } from './time-zone.ts'

const seconds = (time: string): number => Date.parse(time) / 1000
const written = (time: number | null): string | null =>
  time === null ? null : new Date(time * 1000).toISOString().replace('.000Z', 'Z')

const zoneOf = (name: string): TimeZone => {
  const zone = timeZone(name)
  if (zone === null) throw new Error(`no zone ${name}`)
  return zone
}

const next = (schedule: string, after: string, zone = 'UTC'): string | null => {
  const event = parseCalendarEvent(schedule)
  if (event === null) throw new Error(`no schedule: ${schedule}`)
  return written(nextEvent(event, seconds(after), zoneOf(zone)))
}

describe("PBS's own cases", () => {
  const thursday = '1970-01-01T00:00:00Z'
  const july = '2020-07-31T00:00:00Z'
  const december = '2020-12-31T00:00:00Z'
  test.each([
    ['0', thursday, '1970-01-01T01:00:00Z'],
    ['*', thursday, '1970-01-01T00:01:00Z'],
    ['*:0', thursday, '1970-01-01T01:00:00Z'],
    ['*:*', thursday, '1970-01-01T00:01:00Z'],
    ['*:*:*', thursday, '1970-01-01T00:00:01Z'],
    ['*:3:5', thursday, '1970-01-01T00:03:05Z'],
    ['mon *:*', thursday, '1970-01-05T00:00:00Z'],
    ['mon 2:*', thursday, '1970-01-05T02:00:00Z'],
    ['mon 2:50', thursday, '1970-01-05T02:50:00Z'],
    ['tue', thursday, '1970-01-06T00:00:00Z'],
    ['wed', thursday, '1970-01-07T00:00:00Z'],
    ['thu', thursday, '1970-01-08T00:00:00Z'],
    ['fri', thursday, '1970-01-02T00:00:00Z'],
    ['sat', thursday, '1970-01-03T00:00:00Z'],
    ['sun', thursday, '1970-01-04T00:00:00Z'],
    ['4..10/2:0', thursday, '1970-01-01T04:00:00Z'],
    ['4..10/2:0', '1970-01-01T05:00:00Z', '1970-01-01T06:00:00Z'],
    ['4..10/2:0', '1970-01-01T11:00:00Z', '1970-01-02T04:00:00Z'],
    ['5,10:4,8', thursday, '1970-01-01T05:04:00Z'],
    ['10,5:8,4', thursday, '1970-01-01T05:04:00Z'],
    ['6,4..10:23,5/5', thursday, '1970-01-01T04:05:00Z'],
    ['4..10,6:5/5,23', thursday, '1970-01-01T04:05:00Z'],
    ['sat', july, '2020-08-01T00:00:00Z'],
    ['mon', july, '2020-08-03T00:00:00Z'],
    ['fri', july, '2020-08-07T00:00:00Z'],
    ['fri', december, '2021-01-01T00:00:00Z'],
    ['thu', december, '2021-01-07T00:00:00Z'],
    ['daily', thursday, '1970-01-02T00:00:00Z'],
    ['daily', '1970-01-01T00:00:01Z', '1970-01-02T00:00:00Z'],
    ['5/2:0', thursday, '1970-01-01T05:00:00Z'],
    ['5/2:0', '1970-01-01T05:00:00Z', '1970-01-01T07:00:00Z'],
    ['5/2:0', '1970-01-01T09:00:00Z', '1970-01-01T11:00:00Z'],
    ['1:0', '1970-01-01T15:00:00Z', '1970-01-02T01:00:00Z'],
    ['2020-07-31', thursday, '2020-07-31T00:00:00Z'],
    ['02-28', thursday, '1970-02-28T00:00:00Z'],
    ['02-29', thursday, '1972-02-29T00:00:00Z'],
    ['1965/5-01-01', '1969-12-31T23:59:59Z', '1970-01-01T00:00:00Z'],
    ['2020-7..9-2/2', july, '2020-08-02T00:00:00Z'],
    ['2020,2021-12-31', july, '2020-12-31T00:00:00Z'],
    ['minutely', thursday, '1970-01-01T00:01:00Z'],
    ['hourly', thursday, '1970-01-01T01:00:00Z'],
    ['weekly', thursday, '1970-01-05T00:00:00Z'],
    ['monthly', thursday, '1970-02-01T00:00:00Z'],
    ['quarterly', thursday, '1970-04-01T00:00:00Z'],
    ['semiannually', thursday, '1970-07-01T00:00:00Z'],
    ['semi-annually', thursday, '1970-07-01T00:00:00Z'],
    ['yearly', thursday, '1971-01-01T00:00:00Z'],
    ['annually', thursday, '1971-01-01T00:00:00Z'],
    ['2021-02-29', thursday, null],
    ['02-30', thursday, null],
  ])('%s after %s', (schedule, after, expected) => {
    expect([next(schedule, after), next(`${schedule} UTC`, after, 'Europe/Vienna')]).toEqual([expected, expected])
  })

  test.each([
    ['mon,wed..fri', [1, 3, 4, 5]],
    ['fri..mon', [5, 6, 0, 1]],
    ['MON', [1]],
    ['monDay', [1]],
    ['Tuesday', [2]],
    ['mon..fri', [1, 2, 3, 4, 5]],
    ['mon,tue..wednesday,fri..sat', [1, 2, 3, 5, 6]],
    ['sun..sat', [0, 1, 2, 3, 4, 5, 6]],
  ])('the days of %s', (schedule, days) => {
    expect([...(parseCalendarEvent(schedule)?.weekdays ?? [])].sort()).toEqual([...days].sort())
  })
})

describe('schedules of the manual', () => {
  test.each([
    ['21:00', '2026-11-30T21:00:00Z', '2026-12-01T21:00:00Z'],
    ['mon..fri 8..17,22:0/15', '2026-11-30T17:45:00Z', '2026-11-30T22:00:00Z'],
    ['sat *-1..7 15:00', '2026-11-30T00:00:00Z', '2026-12-05T15:00:00Z'],
    ['*-*-01 04:30', '2026-11-30T00:00:00Z', '2026-12-01T04:30:00Z'],
    ['*:0/30', '2026-11-30T00:00:00Z', '2026-11-30T00:30:00Z'],
    ['2026-12-24 18:00', '2026-11-30T00:00:00Z', '2026-12-24T18:00:00Z'],
    ['2026-12-24 18:00', '2026-12-24T18:00:00Z', null],
    ['mon 02-29 12:00', '2026-11-30T00:00:00Z', '2044-02-29T12:00:00Z'],
    ['sun 03:00UTC', '2026-11-30T00:00:00Z', '2026-12-06T03:00:00Z'],
  ])('%s after %s', (schedule, after, expected) => {
    expect(next(schedule, after)).toBe(expected)
  })

  test.each([
    '',
    ' ',
    'UTC',
    'Daily',
    'daily ',
    ' 21:00',
    'noon',
    'mon,,tue',
    'mon..tue..wed',
    '24:00',
    '12:60',
    '12:00:60',
    '0/60',
    '*/0',
    '5..3:00',
    '*,5:00',
    '1..:00',
    '2026-13-01',
    '2200-01-01',
    '01-32',
    '2026-07-112:00',
    '12:00 Europe/Vienna',
    '~1',
    '0.5',
    `0${',1'.repeat(200)}`,
  ])('PBS refuses %j', (schedule) => {
    expect(parseCalendarEvent(schedule)).toBe(null)
  })
})

describe('the two changes of summer time', () => {
  test.each([
    // The clock of Vienna goes from 2:00 to 3:00 at 01:00 UTC, and from 3:00 to 2:00 at 01:00 UTC.
    ['daily', 'Europe/Vienna', '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z'],
    ['2:30', 'Europe/Vienna', '2026-03-28T01:30:00Z', '2026-03-30T00:30:00Z'],
    ['3:00', 'Europe/Vienna', '2026-03-28T12:00:00Z', '2026-03-29T01:00:00Z'],
    ['*:30', 'Europe/Vienna', '2026-03-29T00:30:00Z', '2026-03-29T01:30:00Z'],
    ['2:30', 'Europe/Vienna', '2026-10-24T12:00:00Z', '2026-10-25T01:30:00Z'],
    ['2:30', 'Europe/Vienna', '2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'],
    ['2:10', 'Europe/Vienna', '2026-10-25T00:40:00Z', '2026-10-25T01:10:00Z'],
    ['2:30', 'Europe/Vienna', '2026-10-25T01:30:00Z', '2026-10-26T01:30:00Z'],
    ['*:50', 'Europe/Vienna', '2026-10-25T01:50:00Z', '2026-10-25T02:50:00Z'],
    // Half an hour.
    ['1:45', 'Australia/Lord_Howe', '2026-04-04T12:00:00Z', '2026-04-04T15:15:00Z'],
    // At midnight: the day begins at 1:00.
    ['daily', 'America/Havana', '2026-03-07T06:00:00Z', '2026-03-09T04:00:00Z'],
    // A day that did not exist.
    ['12:00', 'Pacific/Apia', '2011-12-29T23:00:00Z', '2011-12-30T22:00:00Z'],
    ['2011-12-30', 'Pacific/Apia', '2011-12-29T00:00:00Z', null],
    // The suffix counts more than the zone.
    ['2:30 UTC', 'Europe/Vienna', '2026-03-28T12:00:00Z', '2026-03-29T02:30:00Z'],
  ])('%s in %s after %s', (schedule, zone, after, expected) => {
    expect(next(schedule, after, zone)).toBe(expected)
  })

  const transitions = [
    ['Europe/Vienna', '2026-03-29T01:00:00Z'],
    ['Europe/Vienna', '2026-10-25T01:00:00Z'],
    ['America/New_York', '2026-03-08T07:00:00Z'],
    ['America/New_York', '2026-11-01T06:00:00Z'],
    ['Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
    ['Australia/Lord_Howe', '2026-10-03T15:30:00Z'],
    ['America/Havana', '2026-03-08T05:00:00Z'],
    ['Asia/Kolkata', '2026-06-01T00:00:00Z'],
    ['UTC', '2024-02-29T00:00:00Z'],
  ] as const
  const field = (most: number) =>
    fc.oneof(
      fc.constant('*'),
      fc.integer({ min: 0, max: most }).map(String),
      fc
        .tuple(fc.integer({ min: 0, max: most }), fc.integer({ min: 1, max: most }))
        .map(([from, step]) => `${from}/${step}`),
      fc
        .tuple(fc.integer({ min: 0, max: most }), fc.integer({ min: 0, max: most }))
        .map(([one, other]) => `${Math.min(one, other)}..${Math.max(one, other)}`),
    )

  test('the next event is what a walk from minute to minute finds', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...transitions),
        fc.integer({ min: -36 * 60, max: 12 * 60 }),
        field(23),
        field(59),
        fc.constantFrom('', 'sun ', 'mon..sat '),
        ([zoneName, transition], minutes, hour, minute, days) => {
          const zone = zoneOf(zoneName)
          const event = parseCalendarEvent(`${days}${hour}:${minute}`)
          const after = seconds(transition) + minutes * 60
          if (event === null) throw new Error('not parsed')
          expect(written(nextEvent(event, after, zone))).toBe(written(walk(after, zone, { days, hour, minute })))
        },
      ),
      { numRuns: 60 },
    )
  })
})

/** The first minute after another whose wall time fits, and that the clock does not show once more. */
function walk(after: number, zone: TimeZone, schedule: { days: string; hour: string; minute: string }): number | null {
  const fits = (text: string, value: number): boolean => {
    const [from = '', to] = text.split('..')
    const [start, step] = from.split('/').map(Number)
    if (text === '*') return true
    if (to !== undefined) return value >= Number(from) && value <= Number(to)
    return step === undefined ? value === start : value >= (start ?? 0) && (value - (start ?? 0)) % step === 0
  }
  const shown = (time: number) => new Date(zone.wallTime(time) * 1000)
  for (let time = after + 60; time < after + 9 * 86_400; time += 60) {
    const wall = shown(time)
    const sunday = wall.getUTCDay() === 0
    const day = schedule.days === '' || (schedule.days === 'sun ' ? sunday : !sunday)
    if (!day || !fits(schedule.hour, wall.getUTCHours()) || !fits(schedule.minute, wall.getUTCMinutes())) continue
    const again = [1800, 3600].some((later) => zone.wallTime(time + later) === zone.wallTime(time))
    if (!again) return time
  }
  return null
}

test.each(['', 'Nowhere/Town', 'UTC+99', 'Europe/Vienna; drop'])('%j is no time zone', (name) => {
  expect(timeZone(name)).toBe(null)
})
