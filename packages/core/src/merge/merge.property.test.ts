import { FastCheck as fc } from 'effect'
import { expect, test } from 'vitest'
import type { FieldValue } from '../registry/field.ts'
import { sameValue } from '../registry/field.ts'
import type { FieldValues, ThreeSides, Write } from './merge-object.ts'
import { inverse, mergeObject } from './merge-object.ts'

/** The naive model: an inventory is a map from key to row, and a branch is a copy of it that was edited. */
type World = ReadonlyMap<string, FieldValues>

const keys = ['a', 'b', 'c', 'd']
const row = fc.record({
  path: fc.constantFrom('', '/1', '/2'),
  comment: fc.constantFrom('', 'x', 'y'),
  tags: fc.uniqueArray(fc.constantFrom('t1', 't2', 't3')),
  custom_fields: fc.dictionary(fc.constantFrom('k', 'l'), fc.constantFrom<FieldValue>(null, 1, 2)),
})
const edit = fc.oneof(
  { weight: 1, arbitrary: fc.constant(null) },
  {
    weight: 4,
    arbitrary: fc.record(
      {
        path: row.map((r) => r.path),
        comment: row.map((r) => r.comment),
        tags: row.map((r) => r.tags),
        custom_fields: row.map((r) => r.custom_fields),
      },
      { requiredKeys: [] },
    ),
  },
)
const world: fc.Arbitrary<World> = fc
  .dictionary(fc.constantFrom(...keys), row)
  .map((rows) => new Map(Object.entries(rows)))
const edits = fc.dictionary(fc.constantFrom(...keys), edit)

const blank: FieldValues = { path: '', comment: '', tags: [], custom_fields: {} }

function edited(before: World, changes: Readonly<Record<string, FieldValues | null>>): World {
  const after = new Map(before)
  for (const [key, change] of Object.entries(changes)) {
    if (change === null) after.delete(key)
    else after.set(key, { ...(before.get(key) ?? blank), ...change })
  }
  return after
}

/** The entry of a branch for one object: the fields it touched, with their base. */
function sidesOf(base: World, main: World, branch: World, key: string): ThreeSides {
  const [was, branchValue] = [base.get(key) ?? null, branch.get(key) ?? null]
  const touched =
    was === null || branchValue === null
      ? null
      : Object.keys(branchValue).filter((f) => !sameValue(was[f] ?? null, branchValue[f] ?? null))
  const pick = (of: FieldValues): FieldValues =>
    touched === null ? of : Object.fromEntries(touched.map((f) => [f, of[f] ?? null]))
  return {
    model: 'datastore',
    author: 'operator',
    base: was === null ? null : pick(was),
    main: main.get(key) ?? null,
    branch: branchValue === null ? null : pick(branchValue),
    whole: branchValue,
  }
}

/** Objects that the branch touched. */
const touchedKeys = (base: World, branch: World) =>
  keys.filter((key) => !sameValue(base.get(key) ?? null, branch.get(key) ?? null))

function apply(main: Map<string, FieldValues>, key: string, write: Write): void {
  if (write._tag === 'create') main.set(key, { ...blank, ...write.values })
  if (write._tag === 'delete') main.delete(key)
  if (write._tag !== 'update' && write._tag !== 'adopt') return
  main.set(key, { ...main.get(key), ...Object.fromEntries(write.fields.map(({ field, value }) => [field, value])) })
}

function merged(base: World, main: World, branch: World) {
  const after = new Map(main)
  const conflicts: Array<string> = []
  for (const key of touchedKeys(base, branch)) {
    const { write, conflicts: open } = mergeObject(sidesOf(base, main, branch, key))
    conflicts.push(...open.map(({ field }) => `${key}.${field}`))
    apply(after, key, write)
  }
  return { after, conflicts }
}

/** Text of a world, in which the order of tags does not count. */
const text = (of: World) =>
  JSON.stringify(
    [...of]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, { tags, custom_fields, ...rest }]) => [
        key,
        Object.entries(rest).sort(),
        Array.isArray(tags) ? [...tags].sort() : tags,
        Object.entries(custom_fields ?? {}).sort(),
      ]),
  )

const scalars = ['path', 'comment'] as const

test('an edit that only one side made is never lost', () => {
  fc.assert(
    fc.property(world, edits, edits, (base, mainEdits, branchEdits) => {
      const [main, branch] = [edited(base, mainEdits), edited(base, branchEdits)]
      const { after, conflicts } = merged(base, main, branch)
      for (const key of keys) {
        const [was, is, branchValue, end] = [base.get(key), main.get(key), branch.get(key), after.get(key)]
        if (was === undefined || is === undefined || branchValue === undefined) continue
        for (const field of scalars) {
          if (conflicts.includes(`${key}.${field}`)) continue
          const expected = sameValue(was[field] ?? null, branchValue[field] ?? null) ? is[field] : branchValue[field]
          expect(end?.[field]).toEqual(expected)
        }
      }
    }),
  )
})

test('a branch merges into an untouched main without a conflict, and main then equals the branch', () => {
  fc.assert(
    fc.property(world, edits, (base, branchEdits) => {
      const branch = edited(base, branchEdits)
      const { after, conflicts } = merged(base, base, branch)
      expect(conflicts).toEqual([])
      expect(text(after)).toBe(text(branch))
    }),
  )
})

test('of two branches without a conflict between them either may merge first', () => {
  fc.assert(
    fc.property(world, edits, edits, (base, one, other) => {
      const [a, b] = [edited(base, one), edited(base, other)]
      const ab = merged(base, merged(base, base, a).after, b)
      const ba = merged(base, merged(base, base, b).after, a)
      fc.pre(ab.conflicts.length === 0 && ba.conflicts.length === 0)
      expect(text(ab.after)).toBe(text(ba.after))
    }),
  )
})

test('what has merged has nothing left to merge', () => {
  fc.assert(
    fc.property(world, edits, edits, (base, mainEdits, branchEdits) => {
      const [main, branch] = [edited(base, mainEdits), edited(base, branchEdits)]
      const first = merged(base, main, branch)
      fc.pre(first.conflicts.length === 0)
      expect(text(merged(base, first.after, branch).after)).toBe(text(first.after))
    }),
  )
})

test('reverting a merge restores main, and a later edit is a conflict', () => {
  fc.assert(
    fc.property(world, edits, edits, (base, branchEdits, since) => {
      const { after } = merged(base, base, edited(base, branchEdits))
      const now = edited(after, since)
      const end = new Map(now)
      for (const key of keys) {
        const [before, left] = [base.get(key) ?? null, after.get(key) ?? null]
        if (sameValue(before, left)) continue
        const sides: ThreeSides = {
          model: 'datastore',
          author: 'operator',
          main: now.get(key) ?? null,
          ...inverse({ before, after: left }),
        }
        const { write, conflicts } = mergeObject(sides)
        if (sameValue(now.get(key) ?? null, left)) {
          expect(conflicts).toEqual([])
          apply(end, key, write)
          expect(text(new Map([[key, end.get(key) ?? {}]]))).toBe(text(new Map([[key, base.get(key) ?? {}]])))
        } else if (before === null) {
          expect(write._tag).toBe('none')
        }
      }
    }),
  )
})
