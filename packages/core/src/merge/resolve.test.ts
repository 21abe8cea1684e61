import { describe, expect, test } from 'vitest'
import { type Conflict, conflictKinds, policyResolution, possibleChoices, type Resolution } from './conflict.ts'
import type { FieldValues, ThreeSides } from './merge-object.ts'
import { mergeObject } from './merge-object.ts'
import { overrideHolds, overrideOf, resolve, stillHolds } from './resolve.ts'

const A: FieldValues = { server: 1, name: 'tank', path: '/a', comment: 'a' }
const sidesOf = (base: FieldValues | null, main: FieldValues | null, branch: FieldValues | null): ThreeSides => ({
  model: 'datastore',
  author: 'operator',
  base,
  main,
  branch,
  whole: branch,
})
const answered = (sides: ThreeSides, resolution: Resolution | null) =>
  resolve(sides, mergeObject(sides), () => resolution)

const clash = sidesOf(A, { ...A, path: '/b' }, { ...A, path: '/c', comment: 'c' })
const change = (field: string, base: unknown, value: unknown) => ({ field, base, value })
const comment = change('comment', 'a', 'c')

test.each([
  ['a creation', sidesOf(null, null, A), { _tag: 'create', values: A }],
  ['a deletion', sidesOf(A, A, null), { _tag: 'delete' }],
  ['an update', sidesOf(A, A, { ...A, path: '/b' }), { _tag: 'update', fields: [change('path', '/a', '/b')] }],
  ['nothing', sidesOf(A, A, A), { _tag: 'none' }],
] as const)('%s without a conflict needs no answer', (_, sides, write) => {
  expect(answered(sides, null)).toEqual({ _tag: 'write', write })
})

describe('a conflict of a field', () => {
  test.each([
    ['main', { choice: 'main' }, [comment]],
    ['branch', { choice: 'branch' }, [comment, change('path', '/b', '/c')]],
    ['a value of the reviewer', { choice: 'value', value: '/d' }, [comment, change('path', '/b', '/d')]],
    ['a value that main has already', { choice: 'value', value: '/b' }, [comment]],
  ] as const)('resolved to %s', (_, resolution, fields) => {
    expect(answered(clash, resolution)).toEqual({ _tag: 'write', write: { _tag: 'update', fields } })
  })

  test('without an answer stays open', () => {
    expect(answered(clash, null)).toEqual({ _tag: 'open', conflicts: mergeObject(clash).conflicts })
  })

  test('skipped leaves the whole object out', () => {
    expect(answered(clash, { choice: 'skip' })).toEqual({ _tag: 'skipped' })
  })

  test('of an object that both sides made keeps the id of main', () => {
    const made = sidesOf(null, A, { ...A, path: '/b' })
    expect(answered(made, { choice: 'branch' })).toEqual({
      _tag: 'write',
      write: { _tag: 'adopt', fields: [change('path', '/a', '/b')] },
    })
    expect(answered(made, { choice: 'main' })).toEqual({ _tag: 'write', write: { _tag: 'adopt', fields: [] } })
  })
})

describe('a conflict of a whole object', () => {
  const deletedInMain = sidesOf(A, null, { ...A, path: '/b' })
  const going = sidesOf(A, { ...A, path: '/b' }, null)
  test.each([
    ['deleted in main, resolved to main', deletedInMain, { choice: 'main' }, { _tag: 'none' }],
    [
      'deleted in main, resolved to branch',
      deletedInMain,
      { choice: 'branch' },
      { _tag: 'create', values: { ...A, path: '/b' } },
    ],
    ['deleted in the branch, resolved to main', going, { choice: 'main' }, { _tag: 'none' }],
    ['deleted in the branch, resolved to branch', going, { choice: 'branch' }, { _tag: 'delete' }],
  ] as const)('%s', (_, sides, resolution, write) => {
    expect(answered(sides, resolution)).toEqual({ _tag: 'write', write })
  })

  test('deletes only when every changed field is given up', () => {
    const two = sidesOf(A, { ...A, path: '/b', comment: 'b' }, null)
    const onlyPath = ({ field }: Conflict): Resolution => ({ choice: field === 'path' ? 'branch' : 'main' })
    expect(resolve(two, mergeObject(two), onlyPath)).toEqual({ _tag: 'write', write: { _tag: 'none' } })
  })
})

describe('what was said of a conflict', () => {
  const [seen] = mergeObject(clash).conflicts
  const again = (main: FieldValues, branch: FieldValues) => mergeObject(sidesOf(A, main, branch)).conflicts[0]
  test.each([
    ['holds while nothing moves', { ...A, path: '/b' }, { ...A, path: '/c' }, true],
    ['holds while another field moves', { ...A, path: '/b', comment: 'x' }, { ...A, path: '/c' }, true],
    ['is open again when main moves', { ...A, path: '/x' }, { ...A, path: '/c' }, false],
    ['is open again when the branch moves', { ...A, path: '/b' }, { ...A, path: '/x' }, false],
  ] as const)('%s', (_, main, branch, holds) => {
    const now = again(main, branch)
    if (seen === undefined || now === undefined) throw new Error('both are conflicts')
    expect(stillHolds(seen, now)).toBe(holds)
  })
})

test.each(conflictKinds)('the policies about %s', (kind) => {
  const conflict: Conflict = { kind, field: 'path', base: '/a', main: '/b', branch: '/c' }
  expect(policyResolution('abort', conflict)).toBeNull()
  const personal = ['guard', 'integrity', 'scope_regression'].includes(kind)
  expect(policyResolution('overwrite', conflict)).toEqual(personal ? null : { choice: 'branch' })
})

test.each([
  ['update_update', 'path', ['main', 'branch', 'value', 'skip']],
  ['create_create', 'path', ['main', 'branch', 'value', 'skip']],
  ['update_delete', 'path', ['main', 'branch', 'skip']],
  ['delete_update', null, ['main', 'branch', 'skip']],
  ['missing_reference', null, ['main', 'skip']],
  ['unique_collision', null, ['main', 'skip']],
  ['child_orphaned', null, ['main', 'branch', 'skip']],
  ['guard', null, ['main', 'branch']],
  ['scope_regression', null, ['main', 'branch']],
] as const)('%s of field %j leaves the choices %j', (kind, field, choices) => {
  expect(possibleChoices({ kind, field })).toEqual(choices)
})

describe('an override', () => {
  const conflict: Conflict = { kind: 'update_update', field: 'comment', base: 'a', main: 'b', branch: 'c' }
  const override = { field: 'comment', sourceValue: 'c' }
  test.each([
    ['main', { choice: 'main' }, override],
    ['a value', { choice: 'value', value: 'd' }, override],
    ['the value of the source itself', { choice: 'value', value: 'c' }, null],
    ['the branch', { choice: 'branch' }, null],
    ['nothing yet', { choice: 'skip' }, null],
  ] as const)('after a resolution to %s', (_, resolution, expected) => {
    expect(overrideOf('datastore', conflict, resolution)).toEqual(expected)
  })

  test.each(['tags', 'server', null])('is for source facts alone, not for %s', (field) => {
    expect(overrideOf('datastore', { ...conflict, field }, { choice: 'main' })).toBeNull()
  })

  test('holds until the source says something new', () => {
    expect([overrideHolds(override, 'c'), overrideHolds(override, 'd')]).toEqual([true, false])
  })
})
