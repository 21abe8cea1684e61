import { describe, expect, test } from 'vitest'
import { type EntryFields, refreshTouched, sameTouched, seenRow, touchRow } from './branch-entry.ts'
import { type FieldValues, mergeObject } from './merge-object.ts'

const rowWith = (more: FieldValues = {}): FieldValues => ({
  server: 1,
  name: 'tank',
  path: '/a',
  comment: '',
  tags: [],
  ...more,
})
const model = 'datastore'

describe('a row is seen in a branch', () => {
  test('as the branch made it, whatever main has made under the key', () => {
    const made = rowWith({ path: '/mine' })
    expect(seenRow({ model, base: null, main: rowWith(), branch: made, whole: made })).toEqual(made)
  })

  test('not at all, where the branch deletes it', () => {
    expect(seenRow({ model, base: rowWith(), main: rowWith(), branch: null, whole: null })).toBeNull()
  })

  test('with its touched fields over what main has now', () => {
    const whole = rowWith({ comment: 'mine' })
    const sides = { model, base: { comment: '' }, branch: { comment: 'mine' }, whole } as const
    expect(seenRow({ ...sides, main: rowWith({ path: '/new', comment: 'theirs' }) })).toEqual(
      rowWith({ path: '/new', comment: 'mine' }),
    )
    expect(seenRow({ ...sides, main: null })).toEqual(whole)
  })

  test('with main’s members, those the branch put in, and without those it took out', () => {
    const base = { tags: ['a', 'b'], custom_fields: { kept: 1, changed: 1, removed: 1 } }
    const branch = { tags: ['b', 'c'], custom_fields: { kept: 1, changed: 2, made: null } }
    const main = rowWith({ tags: ['a', 'b', 'd'], custom_fields: { kept: 3, changed: 3, removed: 1, theirs: 4 } })
    expect(seenRow({ model, base, main, branch, whole: rowWith() })).toEqual({
      ...main,
      tags: ['b', 'd', 'c'],
      custom_fields: { kept: 3, changed: 2, made: null, theirs: 4 },
    })
  })
})

const row = (more: FieldValues = {}): FieldValues => ({
  server: 1,
  name: 'tank',
  path: '/a',
  comment: '',
  tags: [],
  custom_fields: {},
  ...more,
})
const touch = (main: FieldValues | null, entry: EntryFields | null, values: FieldValues) =>
  touchRow({ model, main, entry, values })

describe('an edit in a branch', () => {
  test('touches what differs from main, with main’s values as the base', () => {
    expect(touch(row(), null, { path: '/a', comment: 'mine' })).toEqual({
      touched: ['comment'],
      base: { comment: '' },
      row: row({ comment: 'mine' }),
    })
  })

  test('keeps the base of what was touched before, and takes main’s present row for the rest', () => {
    const first = touch(row(), null, { comment: 'one' })
    const main = row({ comment: 'theirs', path: '/new' })
    expect(touch(main, first, { comment: 'two', name: 'vault' })).toEqual({
      touched: ['comment', 'name'],
      base: { comment: '', name: 'tank' },
      row: row({ comment: 'two', name: 'vault', path: '/new' }),
    })
  })

  test('leaves nothing touched when everything is as it was', () => {
    const first = touch(row(), null, { comment: 'one', path: '/b' })
    expect(touch(row(), first, { comment: '' }).touched).toEqual(['path'])
    expect(touch(row(), first, { comment: '', path: '/a' }).touched).toEqual([])
  })

  test('does not touch observations', () => {
    expect(touch(row(), null, { used_bytes: 5 }).touched).toEqual([])
  })

  test('of a row that main has lost goes on from what the branch has', () => {
    const first = touch(row(), null, { comment: 'one' })
    expect(touch(null, first, { path: '/b' })).toEqual({
      touched: ['comment', 'path'],
      base: { comment: '', path: '/a' },
      row: row({ comment: 'one', path: '/b' }),
    })
  })

  test('of a set takes out a member that main has gained since', () => {
    const first = touch(row({ tags: ['a'] }), null, { tags: ['a', 'mine'] })
    const main = row({ tags: ['a', 'theirs'] })
    const second = touch(main, first, { tags: ['mine'] })
    expect(second).toEqual({ touched: ['tags'], base: { tags: ['a', 'theirs'] }, row: { ...main, tags: ['mine'] } })
    expect(touch(main, second, { tags: ['a', 'theirs'] }).touched).toEqual([])
  })

  test('of a map keeps the base of keys touched before: a clash with main stays one', () => {
    const first = touch(row({ custom_fields: { site: 'a', rack: 1 } }), null, {
      custom_fields: { site: 'mine', rack: 1 },
    })
    const main = row({ custom_fields: { site: 'theirs', rack: 2 } })
    const second = touch(main, first, { custom_fields: { site: 'mine', rack: 3 } })
    expect(second.base).toEqual({ custom_fields: { site: 'a', rack: 2 } })
    const branch = { custom_fields: second.row['custom_fields'] ?? null }
    expect(
      mergeObject({ model, author: 'operator', base: second.base, main, branch, whole: second.row }).conflicts,
    ).toMatchObject([{ kind: 'update_update', field: 'custom_fields' }])
  })

  test.each([
    [{ comment: 'x', tags: ['b'] }],
    [{ tags: ['a', 'c'], custom_fields: { k: 2 } }],
    [{ custom_fields: {}, tags: [] }],
    [{ custom_fields: { k: null, l: 3 } }],
  ] as const)('is what the branch shows then: %j', (values) => {
    const first = touch(row({ tags: ['a'], custom_fields: { k: 1 } }), null, { tags: ['b'], custom_fields: { m: 1 } })
    const main = row({ tags: ['a', 'd'], custom_fields: { k: 5, n: 6 } })
    const { touched, base, row: whole } = touch(main, first, values)
    const branch = Object.fromEntries(touched.map((name) => [name, whole[name] ?? null]))
    const seen = touched.length === 0 ? main : seenRow({ model, base, main, branch, whole })
    expect(Object.fromEntries(Object.keys(values).map((name) => [name, seen?.[name]]))).toEqual(values)
  })
})

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
