import { describe, expect, test } from 'vitest'
import { defaultSettings } from '../settings.ts'
import { type DeletionsInput, deletes, type HeldDeletionsState, judgeDeletions } from './judge-deletions.ts'

const setOf = (state: HeldDeletionsState['state'], more: Partial<HeldDeletionsState> = {}): HeldDeletionsState => ({
  state,
  revision: 1,
  reason: 'too_many',
  visibility: 'wide',
  kept: state === 'dismissed',
  ...more,
})

/** Of 100 rows that were listed, under the visibility they were listed with. */
const judged = (input: Partial<DeletionsInput>) => {
  const { deletions = 0, alreadyMissing = 0 } = input
  const base = { before: 100, missing: alreadyMissing, listed: 100 - deletions, deletions, alreadyMissing }
  const visibilities = { visibility: 'wide', landedVisibility: 'wide', set: null, upstreamHold: null }
  const { held, missing } = judgeDeletions({ settings: defaultSettings, ...base, ...visibilities, ...input })
  return `${held ?? 'land'}, missing ${missing}`
}

describe('without a decision the guard judges all deletions alike', () => {
  test.each([
    [{ deletions: 10 }, 'land, missing as_others'],
    [{ deletions: 60 }, 'too_many, missing as_others'],
    [{ deletions: 60, alreadyMissing: 60, set: setOf('waiting') }, 'too_many, missing as_others'],
    [{ deletions: 10, alreadyMissing: 10, set: setOf('waiting') }, 'land, missing as_others'],
    [{ deletions: 1, visibility: 'narrow' }, 'visibility_changed, missing as_others'],
    [{ deletions: 1, visibility: 'narrow', landedVisibility: null }, 'land, missing as_others'],
    [{ deletions: 1, upstreamHold: 'visibility_changed' }, 'visibility_changed, missing as_others'],
    [{ deletions: 0, visibility: 'narrow', set: setOf('confirmed') }, 'land, missing as_others'],
  ] as const)('%j: %s', (input, expected) => expect(judged(input)).toBe(expected))
})

describe('confirmed rows go, under the visibility that was confirmed; what is missing since is held', () => {
  const narrow = setOf('confirmed', { visibility: 'narrow', reason: 'visibility_changed' })
  test.each([
    [{ deletions: 60, alreadyMissing: 60, set: setOf('confirmed') }, 'land, missing deleted'],
    [{ deletions: 61, alreadyMissing: 60, set: setOf('confirmed') }, 'unconfirmed, missing deleted'],
    [{ deletions: 99, alreadyMissing: 40, set: setOf('confirmed') }, 'too_many, missing deleted'],
    [
      { deletions: 60, alreadyMissing: 60, visibility: 'other', set: setOf('confirmed') },
      'visibility_changed, missing as_others',
    ],
    [{ deletions: 60, alreadyMissing: 60, visibility: 'narrow', set: narrow }, 'land, missing deleted'],
    [{ deletions: 61, alreadyMissing: 60, visibility: 'narrow', set: narrow }, 'visibility_changed, missing deleted'],
    [{ deletions: 60, alreadyMissing: 60, visibility: 'wide', set: narrow }, 'visibility_changed, missing as_others'],
    // An operator has decided: the doubt is about the others only.
    [
      { deletions: 9, alreadyMissing: 9, upstreamHold: 'visibility_changed', set: setOf('confirmed') },
      'land, missing deleted',
    ],
    [{ deletions: 9, alreadyMissing: 8, upstreamHold: 'emptied', set: setOf('confirmed') }, 'emptied, missing deleted'],
  ] as const)('%j: %s', (input, expected) => expect(judged(input)).toBe(expected))
})

describe('dismissed rows stay, and the others are judged as if these were not there', () => {
  const narrow = setOf('dismissed', { visibility: 'narrow', reason: 'visibility_changed' })
  test.each([
    [{ deletions: 60, alreadyMissing: 60, set: setOf('dismissed') }, 'land, missing kept'],
    [{ deletions: 65, alreadyMissing: 60, set: setOf('dismissed') }, 'land, missing kept'],
    // 51 of the 90 that are left.
    [{ deletions: 61, alreadyMissing: 10, set: setOf('dismissed') }, 'too_many, missing kept'],
    // 51 of 200 would land, and so do 51 of the 170 that are left; 51 of 169 would not.
    [{ before: 200, listed: 119, deletions: 81, alreadyMissing: 30, set: setOf('dismissed') }, 'land, missing kept'],
    [
      { before: 200, listed: 118, deletions: 82, alreadyMissing: 31, set: setOf('dismissed') },
      'too_many, missing kept',
    ],
    [
      {
        deletions: 5,
        alreadyMissing: 5,
        set: setOf('dismissed'),
        settings: { guard_max_share: 1, guard_min_rows: 99 },
      },
      'land, missing kept',
    ],
    // The operator who dismissed it has seen that visibility, but not a third one.
    [{ deletions: 4, alreadyMissing: 3, visibility: 'narrow', set: narrow }, 'land, missing kept'],
    [{ deletions: 4, alreadyMissing: 3, visibility: 'third', set: narrow }, 'visibility_changed, missing kept'],
    [{ deletions: 3, alreadyMissing: 3, visibility: 'third', set: narrow }, 'land, missing kept'],
    [{ deletions: 4, alreadyMissing: 3, upstreamHold: 'emptied', set: narrow }, 'emptied, missing kept'],
  ] as const)('%j: %s', (input, expected) => expect(judged(input)).toBe(expected))

  test('and go by nothing but a confirmation when the set grew and waits again', () => {
    expect(judged({ deletions: 5, alreadyMissing: 5, set: setOf('waiting', { kept: true }) })).toBe(
      'land, missing kept',
    )
    expect(judged({ deletions: 5, alreadyMissing: 5, set: setOf('confirmed', { kept: true }) })).toBe(
      'land, missing deleted',
    )
  })
})

test.each([
  ['too_many', 'as_others', true, false],
  ['too_many', 'as_others', false, false],
  [null, 'as_others', true, true],
  [null, 'kept', true, false],
  [null, 'kept', false, true],
  ['unconfirmed', 'deleted', true, true],
  ['unconfirmed', 'deleted', false, false],
] as const)('held %s and missing %s: a row that is missing (%s) goes: %s', (held, missing, isMissing, goes) => {
  expect(deletes({ held, missing }, isMissing)).toBe(goes)
})
