import { describe, expect, test } from 'vitest'
import type { FieldValue } from '../registry/field.ts'
import { type FieldMerge, mergeField } from './merge-field.ts'

const keep: FieldMerge = { _tag: 'keep' }
const take = (value: FieldValue): FieldMerge => ({ _tag: 'take', value })
const clash = (merged: FieldValue): FieldMerge => ({ _tag: 'clash', merged })
const none = undefined

test.each([
  ['F1', 'a', 'a', 'a', keep],
  ['F1', 'a', 'a', none, keep],
  ['F2', 'a', 'a', 'b', take('b')],
  ['F2', 'a', 'a', null, take(null)],
  ['F2', null, null, 'b', take('b')],
  ['F3', 'a', 'b', 'a', keep],
  ['F3', 'a', 'b', none, keep],
  ['F4', 'a', 'b', 'b', keep],
  ['F5', 'a', 'b', 'c', clash('b')],
  ['F5', 'a', null, 'c', clash(null)],
  ['G0', none, null, none, keep],
  ['G0', none, '', none, keep],
  ['G1', none, 'a', none, keep],
  ['G1', none, 'a', '', keep],
  ['G2', none, '', 'b', take('b')],
  ['G2', none, null, 'b', take('b')],
  ['G3', none, 'a', 'a', keep],
  ['G4', none, 'a', 'b', clash('a')],
  ['G4', none, false, true, clash(false)],
  ['G4', none, 0, 7, clash(0)],
] as const)('%s: base %j, main %j, branch %j', (_, base, main, branch, merged) => {
  expect(mergeField('whole', { base, main, branch })).toEqual(merged)
})

test('a value of many parts is compared as a whole', () => {
  const sides = { base: [{ size: 1, name: 'a' }], main: [{ name: 'a', size: 1 }], branch: [{ name: 'a', size: 2 }] }
  expect(mergeField('whole', sides)).toEqual(take(sides.branch))
})

describe('a set', () => {
  test.each([
    [['a'], ['a'], ['a', 'b'], take(['a', 'b'])],
    [['a'], ['a', 'c'], ['a', 'b'], take(['a', 'c', 'b'])],
    [['a', 'b'], ['a', 'b', 'c'], ['a'], take(['a', 'c'])],
    [['a'], [], ['a', 'b'], take(['b'])],
    [['a'], ['a', 'b'], ['a', 'b'], keep],
    [['a', 'b'], ['a'], ['a'], keep],
    [['a'], ['a'], [], take([])],
    [none, ['a'], ['b'], take(['a', 'b'])],
    [none, [], [], keep],
    [none, ['a'], none, keep],
  ] as const)('base %j, main %j, branch %j', (base, main, branch, merged) => {
    expect(mergeField('set', { base, main, branch })).toEqual(merged)
  })

  test('has members that are compared by value', () => {
    const [one, two] = [{ slug: 'one' }, { slug: 'two' }]
    expect(mergeField('set', { base: [one], main: [{ slug: 'one' }], branch: [one, two] })).toEqual(take([one, two]))
  })
})

describe('a map', () => {
  test.each([
    [{ a: 1 }, { a: 1 }, { a: 2 }, take({ a: 2 })],
    [{ a: 1, b: 1 }, { a: 2, b: 1 }, { a: 1, b: 2 }, take({ a: 2, b: 2 })],
    [{ a: 1 }, { a: 1, b: 1 }, { a: 1, c: 1 }, take({ a: 1, b: 1, c: 1 })],
    [{ a: 1, b: 1 }, { a: 1, b: 1 }, { a: 1 }, take({ a: 1 })],
    [{ a: 1 }, {}, { a: 1, b: 1 }, take({ b: 1 })],
    [{ a: 1 }, { a: 2 }, { a: 2 }, keep],
    [{ a: 1, b: 1 }, { a: 2, b: 1 }, { a: 2, b: 2 }, take({ a: 2, b: 2 })],
    [{ a: 1 }, { a: 2 }, { a: 3 }, clash({ a: 2 })],
    [{ a: 1, b: 1 }, { a: 2, b: 1 }, { a: 3, b: 2 }, clash({ a: 2, b: 2 })],
    [none, { a: 1 }, { a: 2, b: 1 }, clash({ a: 1, b: 1 })],
  ] as const)('base %j, main %j, branch %j', (base, main, branch, merged) => {
    expect(mergeField('map', { base, main, branch })).toEqual(merged)
  })

  test.each([
    ['deleted by the branch, set to null by main', { a: 1 }, { a: null }, {}, clash({ a: null })],
    ['set to null by the branch, deleted by main', { a: 1 }, {}, { a: null }, clash({})],
    ['deleted by both', { a: 1 }, {}, {}, keep],
  ] as const)('tells a key that is not there from null: %s', (_, base, main, branch, merged) => {
    expect(mergeField('map', { base, main, branch })).toEqual(merged)
  })
})
