import { expect, test } from 'vitest'
import { firstLine } from './text.ts'

test.each([
  ['web01\n', 'web01'],
  ['  web01  \nsecond line', 'web01'],
  ['', ''],
  ['\nlater', ''],
  ['größe ✓', 'größe ✓'],
  ['a\0b', 'ab'],
  ['a\ud800b', 'a\ufffdb'],
  [null, ''],
  [undefined, ''],
])('the first line of %j is %j', (notes, expected) => {
  expect(firstLine(notes)).toBe(expected)
})
