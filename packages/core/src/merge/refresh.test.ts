import { expect, test } from 'vitest'
import { refreshTouched, sameTouched } from './refresh.ts'

const touched = (base: string, value: string) => ({ base, value })

test.each([
  [
    'a new value takes the place of the old, the base stays',
    { c: touched('a', 'b') },
    { c: touched('x', 'd') },
    { c: touched('a', 'd') },
  ],
  [
    'a field that is new comes with its own base',
    { c: touched('a', 'b') },
    { c: touched('a', 'b'), p: touched('1', '2') },
    { c: touched('a', 'b'), p: touched('1', '2') },
  ],
  [
    'a field on which source and main agree leaves',
    { c: touched('a', 'b'), p: touched('1', '2') },
    { p: touched('1', '2') },
    { p: touched('1', '2') },
  ],
  ['nothing is left', { c: touched('a', 'b') }, {}, {}],
] as const)('%s', (_, before, read, after) => {
  expect(refreshTouched(before, read)).toEqual(after)
})

test.each([
  ['the same values', { c: touched('a', 'b') }, { c: touched('x', 'b') }, true],
  ['another value', { c: touched('a', 'b') }, { c: touched('a', 'c') }, false],
  ['another field', { c: touched('a', 'b') }, { p: touched('a', 'b') }, false],
  ['a field more', { c: touched('a', 'b') }, { c: touched('a', 'b'), p: touched('1', '2') }, false],
])('%s', (_, a, b, same) => {
  expect([sameTouched(a, b), sameTouched(b, a)]).toEqual([same, same])
})
