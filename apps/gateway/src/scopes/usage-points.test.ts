import { describe, expect, test } from 'vitest'
import { usagePoints } from './usage-points.ts'

const hour = 3600
/** Midnight of 1 May 2026. */
const may = Date.parse('2026-05-01T00:00:00Z') / 1000
const of = (history: ReadonlyArray<number | null>, start = may, total = 1000, delta = hour) =>
  usagePoints({ total, history, 'history-start': start, 'history-delta': delta })
const hours = (count: number, share: number | null = 0.5) => Array.from({ length: count }, () => share)
const point = (time: string, used_bytes: number) => ({ time: `2026-05-${time}:00:00Z`, used_bytes, total_bytes: 1000 })

describe('the usage of a datastore', () => {
  test('is the mean of each slot, oldest first', () => {
    expect(of([...hours(3, 0.1), ...hours(3, 0.3), ...hours(6, 0.4), 0.9])).toEqual([
      point('01T00', 200),
      point('01T06', 400),
    ])
  })

  test('leaves out slots that are not over: the last step is still measured', () => {
    expect(of(hours(6))).toEqual([])
    expect(of(hours(7))).toEqual([point('01T00', 500)])
    expect(of(hours(12))).toEqual([point('01T00', 500)])
  })

  test('leaves out the slot in which the history begins', () => {
    expect(of(hours(13), may + hour)).toEqual([point('01T06', 500)])
    expect(of(hours(13), may)).toEqual([point('01T00', 500), point('01T06', 500)])
  })

  test('passes over gaps, and over a slot that is all gap', () => {
    expect(of([...hours(5, null), 0.2, ...hours(6, null), ...hours(6), 0.5])).toEqual([
      point('01T00', 200),
      point('01T12', 500),
    ])
  })

  test('reads the same a step later', () => {
    const month = Array.from({ length: 1441 }, (_, i) => ((i * 37) % 100) / 100)
    const later = [...month.slice(1), 0.77]
    const before = of(month, may, 1000, 1800)
    expect(before).toHaveLength(120)
    const after = new Map(of(later, may + 1800, 1000, 1800).map((one) => [one.time, one]))
    expect(before.filter(({ time }) => after.has(time))).toHaveLength(119)
    for (const one of before) expect(after.get(one.time) ?? one).toEqual(one)
  })

  test('is bounded', () => {
    const points = of(hours(6 * 300 + 1))
    expect(points).toHaveLength(200)
    expect(points.at(-1)?.time).toBe('2026-07-14T18:00:00Z')
  })

  test.each([
    ['nothing', {}],
    ['no total', { total: null, history: hours(7), 'history-start': may, 'history-delta': hour }],
    ['a total of -1, as before 3.1.3', { total: -1, history: hours(7), 'history-start': may, 'history-delta': hour }],
    ['no history', { total: 1000 }],
    ['no start', { total: 1000, history: hours(7), 'history-delta': hour }],
    ['no step', { total: 1000, history: hours(7), 'history-start': may, 'history-delta': 0 }],
    ['steps of a day', { total: 1000, history: hours(7), 'history-start': may, 'history-delta': 24 * hour }],
    ['shares that are none', { total: 1000, history: hours(7, 1.5), 'history-start': may, 'history-delta': hour }],
  ])('of %s has no points', (_, usage) => {
    const none = { total: null, history: null, 'history-start': null, 'history-delta': null }
    expect(usagePoints({ ...none, ...usage })).toEqual([])
  })
})
