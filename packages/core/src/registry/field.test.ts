import { expect, test } from 'vitest'
import { type FieldValue, sameValue } from './field.ts'

test.each<[FieldValue, FieldValue, boolean]>([
  ['a', 'a', true],
  ['a', 'A', false],
  [1, 1, true],
  [1, '1', false],
  [0, false, false],
  ['', null, false],
  [null, null, true],
  [[], [], true],
  [[1, 2], [1, 2], true],
  [[1, 2], [2, 1], false],
  [[1], [1, 2], false],
  [{}, {}, true],
  [[], {}, false],
  [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
  [{ a: 1 }, { a: 1, b: null }, false],
  [{ a: null }, { b: null }, false],
  [{ a: [{ b: [1] }] }, { a: [{ b: [1] }] }, true],
  [{ a: [{ b: [1] }] }, { a: [{ b: [2] }] }, false],
])('%j and %j: %s', (a, b, same) => {
  expect([sameValue(a, b), sameValue(b, a)]).toEqual([same, same])
})
