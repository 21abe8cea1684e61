import { scryptSync } from 'node:crypto'
import { Effect, Redacted } from 'effect'
import { expect, test } from 'vitest'
import { hashPassword, passwordHasHash } from './password-hash.ts'

const verify = (password: string, hash: string | null) =>
  Effect.runPromise(passwordHasHash(Redacted.make(password), hash))

test('only its own password has a hash, and no two hashes are alike', async () => {
  const [hash, other] = await Promise.all(
    ['correct horse', 'correct horse'].map((password) => Effect.runPromise(hashPassword(Redacted.make(password)))),
  )
  expect(hash).toMatch(/^scrypt\$65536\$8\$1\$[\w-]{22}\$[\w-]{43}$/)
  expect(hash).not.toBe(other)
  expect(await verify('correct horse', hash ?? null)).toBe(true)
  expect(await verify('correct hors', hash ?? null)).toBe(false)
  expect(await verify('', hash ?? null)).toBe(false)
})

test('a hash of other costs is verified with these', async () => {
  const salt = Buffer.alloc(16, 1)
  const hash = `scrypt$1024$8$1$${salt.toString('base64url')}$${scryptSync('secret', salt, 32, { N: 1024 }).toString('base64url')}`
  expect(await verify('secret', hash)).toBe(true)
  expect(await verify('Secret', hash)).toBe(false)
})

test.each([null, '', 'scrypt', 'md5$1$1$1$a$b', 'scrypt$1024$8$1$AA$AA'])(
  'no password has the hash %j',
  async (hash) => {
    expect(await verify('', hash)).toBe(false)
  },
)

test('a password is the same however its characters are composed', async () => {
  const hash = await Effect.runPromise(hashPassword(Redacted.make('caf\u00e9 au lait')))
  expect(await verify('cafe\u0301 au lait', hash)).toBe(true)
})
