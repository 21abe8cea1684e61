import { FastCheck as fc } from 'effect'
import { describe, expect, test } from 'vitest'
import { type BreachChanges, breachChanges, type KnownObjective } from './breach.ts'

describe('the breaches of a group', () => {
  // A backup at 100, which counts for 10.
  const known: KnownObjective = { age: 10, freshUntil: 110, openSince: null }
  const open = { ...known, openSince: 110 }
  const none: BreachChanges = { ended: null, passed: [] }
  test.each<readonly [string, KnownObjective, number | null, ReadonlyArray<number>, BreachChanges]>([
    ['nothing new', known, 10, [100], none],
    ['a backup in time', known, 10, [108, 100], none],
    ['a backup at the last second', known, 10, [110, 100], none],
    ['one that came too late', known, 10, [115, 100], { ended: null, passed: [{ begin: 110, end: 115 }] }],
    [
      'two gaps while nothing was read',
      known,
      10,
      [140, 120, 115, 100],
      {
        ended: null,
        passed: [
          { begin: 110, end: 115 },
          { begin: 130, end: 140 },
        ],
      },
    ],
    ['one goes on', open, 10, [100], none],
    ['it ends with the first backup', open, 10, [125, 120, 100], { ended: 120, passed: [] }],
    ['it ends, and another passed', open, 10, [140, 120, 100], { ended: 120, passed: [{ begin: 130, end: 140 }] }],
    ['a longer objective ends it', open, 150, [100], { ended: 200, passed: [] }],
    ['a longer objective that has ended too does not', open, 50, [100], none],
    ['it ends with the watch', open, null, [100], { ended: 200, passed: [] }],
    ['a backup was deleted', open, 10, [90], none],
    ['nothing was known', { age: 10, freshUntil: null, openSince: null }, 10, [150, 100], none],
    ['it was not watched', { age: null, freshUntil: null, openSince: null }, 10, [150, 100], none],
  ])('%s', (_, before, age, backups, changes) => {
    expect(breachChanges(before, { age, backups }, 200)).toEqual(changes)
  })

  test('are the times in which no backup was young enough, looked at second by second', () => {
    const times = fc.uniqueArray(fc.integer({ min: 101, max: 199 }), { maxLength: 6 })
    fc.assert(
      fc.property(times, (given) => {
        const backups = [...given, 100].sort((one, other) => other - one)
        const { passed } = breachChanges(known, { age: 10, backups }, 200)
        const until = Math.max(...backups)
        for (let second = 100; second < until; second++) {
          const newest = Math.max(...backups.filter((time) => time <= second))
          const isBroken = passed.some(({ begin, end }) => begin <= second && second < end)
          expect([second, isBroken]).toEqual([second, newest + 10 <= second])
        }
      }),
    )
  })
})
