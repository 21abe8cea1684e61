import { describe, expect, test } from 'vitest'
import { mergeObject } from './merge-object.ts'
import { seenRow } from './seen-row.ts'
import type { FieldValues } from './three-sides.ts'
import { type EntryFields, touchRow } from './touch-row.ts'

const model = 'datastore'
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

  test('does not touch readings', () => {
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

  test('of a set takes out a member that main has gained meanwhile', () => {
    const first = touch(row({ tags: ['a'] }), null, { tags: ['a', 'mine'] })
    const main = row({ tags: ['a', 'theirs'] })
    const second = touch(main, first, { tags: ['mine'] })
    expect(second).toMatchObject({ touched: ['tags'], base: { tags: ['a', 'theirs'] } })
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
