import { describe, expect, test } from 'vitest'
import type { FieldValues, ThreeSides, Write } from './merge-object.ts'
import { type Merged, mergeObject } from './merge-object.ts'

const A: FieldValues = { server: 1, name: 'tank', path: '/a', comment: 'a', tags: [] }
const B: FieldValues = { ...A, path: '/b' }
const C: FieldValues = { ...A, path: '/c' }
const D: FieldValues = { ...A, comment: 'd' }

const merge = (
  base: FieldValues | null,
  main: FieldValues | null,
  branch: FieldValues | null,
  author: ThreeSides['author'] = 'operator',
): Merged => mergeObject({ model: 'datastore', author, base, main, branch, whole: branch })

const none: Write = { _tag: 'none' }
const field = (kind: string, name: string, base: unknown, main: unknown, branch: unknown) => ({
  kind,
  field: name,
  base,
  main,
  branch,
})
const whole = (kind: string) => field(kind, null as never, null, null, null)
const change = (name: string, base: unknown, value: unknown) => ({ field: name, base, value })

describe('the fifteen cases', () => {
  test.each([
    [1, 'all absent', null, null, null, none],
    [2, 'branch only', null, null, A, { _tag: 'create', values: A }],
    [3, 'main only', null, A, null, none],
    [4, 'both made the same', null, A, A, { _tag: 'adopt', fields: [] }],
    [6, 'untouched', A, A, A, none],
    [7, 'branch changed', A, A, B, { _tag: 'update', fields: [change('path', '/a', '/b')] }],
    [8, 'branch deleted', A, A, null, { _tag: 'delete' }],
    [9, 'main changed', A, B, A, none],
    [10, 'main deleted', A, null, A, none],
    [11, 'both deleted', A, null, null, none],
    [12, 'both changed to the same', A, B, B, none],
    [13, 'both changed, different fields', A, D, B, { _tag: 'update', fields: [change('path', '/a', '/b')] }],
  ] as const)('%i %s', (_, __, base, main, branch, write) => {
    expect(merge(base, main, branch)).toEqual({ write, conflicts: [] })
  })

  test.each([
    [
      5,
      'both made it differently',
      null,
      A,
      B,
      { _tag: 'adopt', fields: [] },
      [field('create_create', 'path', null, '/a', '/b')],
    ],
    [13, 'both changed one field', A, B, C, none, [field('update_update', 'path', '/a', '/b', '/c')]],
    [14, 'main changed, branch deleted', A, B, null, none, [field('update_delete', 'path', '/a', '/b', null)]],
    [15, 'main deleted, branch changed', A, null, B, none, [whole('delete_update')]],
  ] as const)('%i %s', (_, __, base, main, branch, write, conflicts) => {
    expect(merge(base, main, branch)).toEqual({ write, conflicts })
  })

  test('5 made by both with values in different fields: main gets what it lacks', () => {
    const blank = { ...A, comment: '' }
    expect(merge(null, blank, A)).toEqual({
      write: { _tag: 'adopt', fields: [change('comment', '', 'a')] },
      conflicts: [],
    })
  })

  test('13 keeps the fields that do not clash', () => {
    const main = { ...B, comment: 'a' }
    expect(merge(A, main, { ...C, comment: 'c' })).toEqual({
      write: { _tag: 'update', fields: [change('comment', 'a', 'c')] },
      conflicts: [field('update_update', 'path', '/a', '/b', '/c')],
    })
  })
})

describe('an update that touches one field', () => {
  test('says nothing of the others', () => {
    expect(merge({ path: '/a' }, { ...A, comment: 'new' }, { path: '/b' })).toEqual({
      write: { _tag: 'update', fields: [change('path', '/a', '/b')] },
      conflicts: [],
    })
  })
})

describe('a branch of a sync', () => {
  test('14 deletes a row on which only the operator has written', () => {
    expect(merge(A, { ...A, tags: ['mine'] }, null, 'sync')).toEqual({ write: { _tag: 'delete' }, conflicts: [] })
  })

  test('14 asks before it deletes a row whose facts a user has changed', () => {
    const main = { ...B, tags: ['mine'] }
    expect(merge(A, main, null, 'sync')).toEqual({
      write: none,
      conflicts: [field('update_delete', 'path', '/a', '/b', null), field('update_delete', 'tags', [], ['mine'], null)],
    })
  })

  test('15 brings back, whole, what a user deleted and the source lists', () => {
    const sides: ThreeSides = {
      model: 'datastore',
      author: 'sync',
      base: { path: '/a' },
      main: null,
      branch: { path: '/b' },
      whole: B,
    }
    expect(mergeObject(sides)).toEqual({ write: { _tag: 'create', values: B }, conflicts: [] })
  })
})

test('14 an operator is asked also when main has only new tags', () => {
  expect(merge(A, { ...A, tags: ['mine'] }, null)).toEqual({
    write: none,
    conflicts: [field('update_delete', 'tags', [], ['mine'], null)],
  })
})

test.each([
  ['tags', ['a'], ['a', 'm'], ['a', 'b'], ['a', 'm', 'b']],
  ['custom_fields', { a: 1 }, { a: 2 }, { a: 1, b: 1 }, { a: 2, b: 1 }],
])('%s of both sides come together', (name, base, main, branch, value) => {
  expect(merge({ ...A, [name]: base }, { ...A, [name]: main }, { [name]: branch })).toEqual({
    write: { _tag: 'update', fields: [change(name, main, value)] },
    conflicts: [],
  })
})

test('a custom field that both sides changed is a conflict, the others merge', () => {
  const [base, main, branch] = [
    { a: 1, b: 1 },
    { a: 2, b: 1 },
    { a: 3, b: 2 },
  ]
  expect(merge({ custom_fields: base }, { ...A, custom_fields: main }, { custom_fields: branch })).toEqual({
    write: { _tag: 'update', fields: [change('custom_fields', main, { a: 2, b: 2 })] },
    conflicts: [field('update_update', 'custom_fields', base, main, branch)],
  })
})

test('a fact that cannot change and does on both sides is a matter of integrity', () => {
  const sides: ThreeSides = {
    model: 'snapshot',
    author: 'sync',
    base: { size_bytes: 1 },
    main: { size_bytes: 2 },
    branch: { size_bytes: 3 },
    whole: null,
  }
  expect(mergeObject(sides).conflicts).toEqual([field('integrity', 'size_bytes', 1, 2, 3)])
})

test.each(['used_bytes', 'gc_status', 'last_seen_at', 'missing_since', 'id'])(
  '%s takes no part: neither written, nor in conflict, nor in the way of a deletion',
  (name) => {
    expect(merge({ [name]: 1 }, { ...A, [name]: 2 }, { [name]: 3 })).toEqual({ write: none, conflicts: [] })
    expect(merge({ ...A, [name]: 1 }, { ...A, [name]: 2 }, null)).toEqual({ write: { _tag: 'delete' }, conflicts: [] })
  },
)
