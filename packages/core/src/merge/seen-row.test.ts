import { describe, expect, test } from 'vitest'
import { seenRow } from './seen-row.ts'
import type { FieldValues } from './three-sides.ts'

const row = (more: FieldValues = {}): FieldValues => ({
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
    const made = row({ path: '/mine' })
    expect(seenRow({ model, base: null, main: row(), branch: made, whole: made })).toEqual(made)
  })

  test('not at all, where the branch deletes it', () => {
    expect(seenRow({ model, base: row(), main: row(), branch: null, whole: null })).toBeNull()
  })

  test('with its touched fields over what main has now', () => {
    const whole = row({ comment: 'mine' })
    const sides = { model, base: { comment: '' }, branch: { comment: 'mine' }, whole } as const
    expect(seenRow({ ...sides, main: row({ path: '/new', comment: 'theirs' }) })).toEqual(
      row({ path: '/new', comment: 'mine' }),
    )
    expect(seenRow({ ...sides, main: null })).toEqual(whole)
  })

  test('with main’s members, those the branch put in, and without those it took out', () => {
    const base = { tags: ['a', 'b'], custom_fields: { kept: 1, changed: 1, removed: 1 } }
    const branch = { tags: ['b', 'c'], custom_fields: { kept: 1, changed: 2, made: null } }
    const main = row({ tags: ['a', 'b', 'd'], custom_fields: { kept: 3, changed: 3, removed: 1, theirs: 4 } })
    expect(seenRow({ model, base, main, branch, whole: row() })).toEqual({
      ...main,
      tags: ['b', 'd', 'c'],
      custom_fields: { kept: 3, changed: 2, made: null, theirs: 4 },
    })
  })
})
