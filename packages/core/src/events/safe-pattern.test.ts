import { expect, test } from 'vitest'
import { safePattern } from './safe-pattern.ts'

const matches = (pattern: string, text: string) => {
  const read = safePattern(pattern)
  return typeof read === 'string' ? read : read(text)
}

test.each([
  ['pbs-a', 'pbs-a', true],
  ['pbs', 'pbs-a', true],
  ['pbs$', 'pbs-a', false],
  ['a', 'pbs-a', false],
  ['.*a$', 'pbs-a', true],
  ['(vm|ct)/1\\d+', 'ct/100', true],
  ['a|b', 'b', true],
  ['[(+*|]x', '+x', true],
  ['\\(x\\)+', '(x))', true],
  ['(?:a)?b', 'b', true],
  ['.', 'x'.repeat(256), true],
  ['.', 'x'.repeat(257), false],
])('%j matches %j: %j', (pattern, text, expected) => {
  expect(matches(pattern, text)).toBe(expected)
})

test.each([
  ['(a+)+$', 'A group of a regular expression may not be repeated: it could take very long.'],
  ['(a|a)*b', 'A group of a regular expression may not be repeated: it could take very long.'],
  ['(a){9}', 'A group of a regular expression may not be repeated: it could take very long.'],
  ['(a)\\1', 'A regular expression may not refer back to a group.'],
  ['(?<n>a)\\k<n>', 'A regular expression may have plain groups only: (…) or (?:…).'],
  ['(?=a)', 'A regular expression may have plain groups only: (…) or (?:…).'],
  ['.*a.*b.*c.*d', 'This regular expression could take very long: use fewer of *, +, ?, | and {…}.'],
  ['a?'.repeat(30), 'This regular expression could take very long: use fewer of *, +, ?, | and {…}.'],
  ['(', 'Enter a valid regular expression.'],
  ['x'.repeat(201), 'A regular expression has at most 200 characters.'],
])('refuses %j', (pattern, why) => {
  expect(safePattern(pattern)).toBe(why)
})

test('the slowest pattern that is taken ends within a second', () => {
  const slow = safePattern('.*.*a|.*.*b|c?c?c?x')
  expect(typeof slow).toBe('string')
  const taken = safePattern('a*a*a?a?a?b')
  if (typeof taken === 'string') throw new Error(taken)
  const begin = performance.now()
  expect(taken('a'.repeat(256))).toBe(false)
  expect(performance.now() - begin).toBeLessThan(1000)
})
