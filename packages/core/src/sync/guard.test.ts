import { describe, expect, test } from 'vitest'
import { defaultSettings } from '../settings.ts'
import { type GuardInput, guard, type Verdict } from './guard.ts'

const judged = ({
  visibilityChanged = false,
  ...input
}: Omit<GuardInput, 'visibilityChanged' | 'settings'> & Partial<GuardInput>) =>
  outcomeOf(guard({ settings: defaultSettings, visibilityChanged, ...input }))
const outcomeOf = (verdict: Verdict) => (verdict._tag === 'land' ? 'land' : verdict.reason)

describe('with a share of 0.3 and a minimum of 50', () => {
  test.each([
    // before, listed, deletions
    [0, 0, 0, 'land'],
    [1000, 1000, 0, 'land'],
    [9, 0, 9, 'land'],
    [10, 0, 10, 'emptied'],
    [10, 1, 9, 'land'],
    [10, 0, 1, 'emptied'],
    [100, 50, 50, 'land'],
    [100, 49, 51, 'too_many'],
    [170, 119, 51, 'land'],
    [169, 118, 51, 'too_many'],
    [1000, 700, 300, 'land'],
    [1000, 699, 301, 'too_many'],
    [1000, 0, 1000, 'emptied'],
  ] as const)('%i rows, %i listed, %i gone: %s', (before, listed, deletions, expected) => {
    expect(judged({ before, listed, deletions })).toBe(expected)
  })
})

test.each([
  [0, 0, 1, 'too_many'],
  [1, 0, 99, 'land'],
  [0, 5, 5, 'land'],
  [0, 5, 6, 'too_many'],
] as const)('of 100 rows, share %d and minimum %i let %i go: %s', (share, rows, deletions, expected) => {
  const settings = { guard_max_share: share, guard_min_rows: rows }
  expect(judged({ settings, before: 100, listed: 100 - deletions, deletions })).toBe(expected)
})

test('another visibility holds any deletion, before anything else is asked, but nothing when none is gone', () => {
  expect(judged({ before: 5, listed: 4, deletions: 1, visibilityChanged: true })).toBe('visibility_changed')
  expect(judged({ before: 10, listed: 0, deletions: 10, visibilityChanged: true })).toBe('visibility_changed')
  expect(judged({ before: 5, listed: 5, deletions: 0, visibilityChanged: true })).toBe('land')
})
