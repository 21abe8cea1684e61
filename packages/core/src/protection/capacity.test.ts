import { describe, expect, test } from 'vitest'
import { formatTimestamp } from '../timestamp.ts'
import { forecastOf, mostDays } from './capacity.ts'

const day = 86_400
const now = 20_000 * day

interface Point {
  readonly time: number
  readonly usedBytes: number
}

const forecast = (points: ReadonlyArray<Point>, total_bytes: number) =>
  forecastOf(
    points.map(({ time, usedBytes }) => ({ time: formatTimestamp(time * 1000), used_bytes: usedBytes, total_bytes })),
    now,
  )

/** Used bytes day by day, the last of them now. */
const daily = (...used: ReadonlyArray<number>): ReadonlyArray<Point> =>
  used.map((usedBytes, nth) => ({ time: now - (used.length - 1 - nth) * day, usedBytes }))

const growing = (days: number, a: number) => daily(...Array.from({ length: days }, (_, nth) => 1000 + nth * a))

describe('the forecast of a datastore', () => {
  test.each([
    ['no point', [], 0],
    ['one', daily(5), 1],
    ['six days', growing(6, 10), 6],
    ['seven points of one day', daily(1, 2, 3).map((point, nth) => ({ ...point, time: now - nth })), 1],
    ['eight days with two points', [daily(1, 1, 1, 1, 1, 1, 1, 9)[0], daily(9)[0]].flatMap((point) => point ?? []), 2],
    ['days that are long past', growing(20, 10).map((point) => ({ ...point, time: point.time - 40 * day })), 0],
    ['days to come', growing(20, 10).map((point) => ({ ...point, time: point.time + 40 * day })), 0],
  ])('too little data: %s', (_, points, days) => {
    expect(forecast(points, 2000)).toEqual({ kind: 'too_little_data', days })
  })

  test('even growth has no spread', () => {
    const even = { kind: 'grows', bytesPerDay: 10, daysUntilFull: 71, soonest: 71, latest: 71 }
    expect(forecast(growing(30, 10), 2000)).toEqual(even)
  })

  test('the time since the last point is gone', () => {
    const points = growing(20, 10).map((point) => ({ ...point, time: point.time - 4 * day }))
    expect(forecast(points, 1290)).toEqual({
      kind: 'grows',
      bytesPerDay: 10,
      daysUntilFull: 6,
      soonest: 6,
      latest: 6,
    })
  })

  test('one night of garbage collection does not move the median', () => {
    const points = daily(...Array.from({ length: 29 }, (_, nth) => 1000 + nth * 10 - (nth > 27 ? 500 : 0)))
    expect(forecast(points, 2000)).toMatchObject({ kind: 'grows', bytesPerDay: 10 })
  })

  test('uneven growth has a range', () => {
    const points = daily(0, 1, 4, 9, 16, 25, 36, 49, 64, 81)
    const range = forecast(points, 181)
    if (range.kind !== 'grows') throw new Error(range.kind)
    expect([range.soonest, range.daysUntilFull, range.latest].map(Math.round)).toEqual([8, 11, 17])
  })

  test.each([
    ['even', growing(30, 0), 0],
    ['falling', growing(30, -5), -5],
  ])('%s: not growing', (_, points, bytesPerDay) => {
    expect(forecast(points, 2000)).toEqual({ kind: 'not_growing', bytesPerDay })
  })

  test('a full datastore is full now, and slow growth is beyond the year', () => {
    expect([forecast(growing(10, 10), 900), forecast(growing(10, 1), 10_000)]).toEqual([
      { kind: 'grows', bytesPerDay: 10, daysUntilFull: 0, soonest: 0, latest: 0 },
      { kind: 'grows', bytesPerDay: 1, daysUntilFull: mostDays, soonest: mostDays, latest: mostDays },
    ])
  })
})
