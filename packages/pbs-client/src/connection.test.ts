import { expect, test } from 'vitest'
import { normalizeFingerprint } from './connection.ts'

const bare = 'ab01'.repeat(16)
const joined = 'ab:01:'.repeat(16).slice(0, -1)

test.each([
  [joined, joined],
  [joined.toUpperCase(), joined],
  [bare, joined],
  [` ${joined}\n`, joined],
  [bare.slice(2), null],
  [`${bare}ab`, null],
  [bare.replace('a', 'g'), null],
  ['', null],
])('%j', (text, expected) => {
  expect(normalizeFingerprint(text)).toBe(expected)
})
