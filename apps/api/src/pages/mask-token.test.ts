import { expect, test } from 'vitest'
import { maskToken, unmaskToken } from './mask-token.ts'

const token = 'ab01'.repeat(16)

test('a token is another text each time, and the same token', () => {
  const [one, two] = [maskToken(token), maskToken(token)]
  expect(one).not.toBe(two)
  expect(one).not.toContain(token)
  expect([one, two].map(unmaskToken)).toEqual([token, token])
})

test.each(['', 'x', 'abc', 'zz'.repeat(64), token])('%j is not the token', (text) => {
  expect(unmaskToken(text)).not.toBe(token)
})
