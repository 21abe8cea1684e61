import { expect, test } from 'vitest'
import { hashSecret, newCredentials, readToken, secretHasHash, tokenText } from './token-text.ts'

test('a fresh token reads back as its parts', () => {
  const token = newCredentials()
  expect(tokenText(token)).toMatch(/^nbt_[A-Za-z0-9]{12}\.[A-Za-z0-9]{40}$/)
  expect(readToken(tokenText(token))).toEqual(token)
  expect(tokenText(newCredentials())).not.toBe(tokenText(token))
})

test('a token of version 1 is looked up by the start of its hash, which does not show it', () => {
  const text = '0123456789012345678901234567890123456789'
  expect(readToken(text)).toEqual({ key: hashSecret(text).slice(0, 12), secret: text, version: 1 })
  expect(newCredentials(1, text)).toEqual(readToken(text))
  expect(tokenText(newCredentials(1, text))).toBe(text)
  const fresh = newCredentials(1)
  expect(tokenText(fresh)).toMatch(/^[A-Za-z0-9]{40}$/)
  expect(readToken(tokenText(fresh))).toEqual(fresh)
})

test('the prefix without a dot is no token', () => {
  expect(readToken('nbt_abc')).toBeNull()
})

test('only its own secret has a hash', () => {
  expect(secretHasHash('a', hashSecret('a'))).toBe(true)
  expect(secretHasHash('b', hashSecret('a'))).toBe(false)
  expect(secretHasHash('a', '')).toBe(false)
})
