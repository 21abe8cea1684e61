import { FastCheck as fc } from 'effect'
import { describe, expect, test } from 'vitest'
import { fitsGlob } from './glob.ts'
import { type ObjectiveRule, type ObjectiveSubject, objectiveOf, rhythmOf } from './objective.ts'

const hour = 3600

describe('a pattern', () => {
  test.each([
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['*', 'anything/at all', true],
    ['db-?', 'db-1', true],
    ['db-?', 'db-', false],
    ['db-*', 'db-', true],
    ['*-db', 'prod-db', true],
    ['*-db', 'prod-db-old', false],
    ['a*b*c', 'aXbYbZc', true],
    ['a*b*c', 'aXbYcZ', false],
    ['A', 'a', false],
    ['[ab]', 'a', false],
    ['[ab]', '[ab]', true],
    ['?', '🐢', true],
  ])('%j and %j: %s', (pattern, text, fits) => {
    expect(fitsGlob(pattern, text)).toBe(fits)
  })

  test('fits what its regular expression does', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 })
    fc.assert(
      fc.property(letters, fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 }), (pattern, text) => {
        const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`)
        expect(fitsGlob(pattern, text)).toBe(expression.test(text))
      }),
    )
  })
})

describe('the objective of a group', () => {
  const subject: ObjectiveSubject = {
    server: 'pbs-a',
    datastore: 'tank',
    namespace: 'prod/db',
    type: 'vm',
    id: '1002',
    tags: ['gold'],
  }
  const daily = Array.from({ length: 20 }, (_, nth) => 100 * 24 * hour - nth * 24 * hour)
  const objective = (rules: ReadonlyArray<ObjectiveRule>, backups = daily) => objectiveOf(subject, rules, backups)

  test.each<readonly [string, ReadonlyArray<ObjectiveRule>, number | null, number | null]>([
    ['no rule', [], 36, null],
    ['a rule for all', [{ id: 1, hours: 4 }], 4, 1],
    [
      'the first of two that fit',
      [
        { id: 2, hours: 4, server: 'pbs-?' },
        { id: 1, hours: 5 },
      ],
      4,
      2,
    ],
    ['another server', [{ id: 1, hours: 4, server: 'pbs-b' }], 36, null],
    ['another datastore', [{ id: 1, hours: 4, datastore: 'vault' }], 36, null],
    ['a namespace and those in it', [{ id: 1, hours: 4, namespace: 'prod*' }], 4, 1],
    ['the root namespace alone', [{ id: 1, hours: 4, namespace: '' }], 36, null],
    ['another type', [{ id: 1, hours: 4, type: 'ct' }], 36, null],
    ['a range of ids', [{ id: 1, hours: 4, backup_id: '10??' }], 4, 1],
    ['its tag', [{ id: 1, hours: 4, tag: 'gold' }], 4, 1],
    ['another tag', [{ id: 1, hours: 4, tag: 'gol*' }], 36, null],
    ['its tag and another server', [{ id: 1, hours: 4, tag: 'gold', server: 'pbs-b' }], 36, null],
    ['not watched', [{ id: 3, hours: null, type: 'vm' }], null, 3],
  ])('%s', (_, rules, hours, rule) => {
    expect(objective(rules)).toEqual({ age: hours === null ? null : hours * hour, rule, known: true })
  })

  test.each([
    ['no backup', [], 26, false],
    ['one', [0], 26, false],
    ['two', [0, 100], 26, false],
    ['three, every hour', [2, 1, 0], 26, true],
    ['every day', [48, 24, 0], 36, true],
    ['every week', [14 * 24, 7 * 24, 0], 8 * 24, true],
    ['every other day, one night left out', [10, 8, 4, 2, 0].map((days) => days * 24), 72, true],
    ['two lengths in the middle', [100, 80, 50].map((hours) => hours), 37.5, true],
  ])('the rhythm of %s', (_, hours, age, known) => {
    expect(
      objective(
        [],
        hours.map((at) => at * hour),
      ),
    ).toEqual({ age: age * hour, rule: null, known })
  })

  test('the rhythm is that of the last fourteen intervals', () => {
    const slow = Array.from({ length: 20 }, (_, nth) => -nth * 100)
    const fast = Array.from({ length: 15 }, (_, nth) => 14 - nth)
    expect([rhythmOf([...fast, ...slow]), rhythmOf([...fast.slice(0, 6), ...slow])]).toEqual([1, 100])
  })
})
