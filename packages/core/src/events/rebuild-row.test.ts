import { expect, test } from 'vitest'
import { coalesced, valuesAfter } from './rebuild-row.ts'

const create = { action: 'create', before: null } as const
const update = (before: Record<string, string>) => ({ action: 'update', before }) as const
const remove = (before: Record<string, string>) => ({ action: 'delete', before }) as const

test.each([
  ['nothing happened since', { a: '3' }, [], { a: '3' }],
  ['updates, newest first', { a: '3', b: '9' }, [update({ a: '2' }), update({ a: '1' })], { a: '1', b: '9' }],
  ['a deletion', null, [remove({ a: '3', b: '9' }), update({ a: '2' })], { a: '2', b: '9' }],
  ['a deletion and a creation', { a: '7' }, [create, remove({ a: '3' })], { a: '3' }],
  ['a creation', { a: '7' }, [create], null],
])('rebuilds an object before %s', (_, present, later, expected) => {
  expect(valuesAfter(present, later)).toEqual(expected)
})

test.each([
  ['an update', [update({ a: '1' })], 'update', { a: '1' }],
  ['two updates', [update({ a: '1' }), update({ a: '2', b: '8' })], 'update', { a: '1', b: '8' }],
  ['an update and a deletion', [update({ a: '1' }), remove({ a: '2', b: '9' })], 'delete', { a: '1', b: '9' }],
  ['a creation and an update', [create, update({ a: '1' })], 'create', null],
  ['a creation and a deletion', [create, remove({ a: '2' })], 'delete', { a: '2' }],
  ['a deletion', [remove({ a: '2' })], 'delete', { a: '2' }],
] as const)('coalesces %s', (_, [first, ...rest], action, before) => {
  expect(coalesced([first, ...rest])).toEqual({ action, before })
})
