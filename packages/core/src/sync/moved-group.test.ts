import { describe, expect, test } from 'vitest'
import { destinationOf, movedMessage, takenOver } from './moved-group.ts'

const left = { created: 100, times: [1, 2, 3, 4] }

describe('the group into which one has moved', () => {
  test.each<readonly [string, ReadonlyArray<readonly [created: number, times: ReadonlyArray<number>]>, number | null]>([
    ['none is elsewhere', [], null],
    ['all times', [[200, [1, 2, 3, 4]]], 0],
    ['the oldest pruned since', [[200, [3, 4]]], 0],
    ['all but one pruned since', [[200, [2]]], 0],
    ['newer backups since', [[200, [4, 5, 6, 7, 8, 9]]], 0],
    ['older ones that the other place never had', [[200, [-3, -2, -1, 0, 1]]], 0],
    ['half of those of its time', [[200, [2, 2.5, 3, 3.5]]], 0],
    ['fewer than half of them: another guest with times in common by chance', [[200, [1.5, 2, 2.5]]], null],
    ['no time in common: another guest of that id', [[200, [5, 6, 7]]], null],
    ['no backup at all', [[200, []]], null],
    ['known before: a copy, or the origin of one', [[99, [1, 2, 3, 4]]], null],
    ['known since the same moment', [[100, [1, 2, 3, 4]]], null],
    [
      'two match: the last to arrive',
      [
        [200, [1, 2, 3, 4]],
        [300, [4]],
        [250, [1, 2]],
      ],
      1,
    ],
    [
      'two arrived at once: the most times in common',
      [
        [200, [4]],
        [200, [3, 4]],
        [200, [2]],
      ],
      1,
    ],
    [
      'two are alike: the first named',
      [
        [200, [3, 4]],
        [200, [1, 2]],
      ],
      0,
    ],
    [
      'the last to arrive is another guest',
      [
        [200, [1, 2, 3, 4]],
        [300, [5]],
      ],
      0,
    ],
  ])('%s', (_, groups, expected) => {
    const found = groups.map(([created, times], nth) => ({ created, times, nth }))
    expect(destinationOf(left, found)?.nth ?? null).toBe(expected)
  })

  test('of a group that had no backups nothing is known', () => {
    expect(destinationOf({ created: 1, times: [] }, [{ created: 2, times: [1] }])).toBe(null)
  })
})

test.each([
  [
    { tags: [], custom_fields: {} },
    { tags: [1, 2], custom_fields: { a: 'x', b: null } },
  ],
  [
    { tags: [3, 2], custom_fields: {} },
    { tags: [3, 2, 1], custom_fields: { a: 'x', b: null } },
  ],
  [
    { tags: [3], custom_fields: { a: 'own', c: 1 } },
    { tags: [3, 1, 2], custom_fields: { a: 'own', b: null, c: 1 } },
  ],
  [
    { tags: [2, 1], custom_fields: { a: null } },
    { tags: [2, 1], custom_fields: { a: 'x', b: null } },
  ],
])('a row with %j takes over the values of a moved one', (own, expected) => {
  expect(takenOver(own, { tags: [1, 2], custom_fields: { a: 'x', b: null } })).toEqual(expected)
})

test('the message names both places', () => {
  expect(movedMessage({ datastore_name: 'tank', namespace: '' }, { datastore_name: 'vault', namespace: 'a/b' })).toBe(
    'The group moved from the root namespace of datastore tank to namespace a/b of datastore vault. Its tags and custom fields came along.',
  )
})
