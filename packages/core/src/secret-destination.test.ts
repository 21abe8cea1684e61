import { expect, test } from 'vitest'
import { fieldsThatNeedSecret, type SecretDestination, secretNeeded } from './secret-destination.ts'

const pin = 'aa:'.repeat(31).concat('aa')
const other = 'bb:'.repeat(31).concat('bb')
const before = { host: 'pbs-a', port: 8007, token_id: 'sync@pbs!inventory', fingerprint: pin, verify_ssl: true }

test.each<[Partial<SecretDestination>, Partial<SecretDestination>, ReadonlyArray<string>]>([
  [{}, {}, []],
  [{}, { host: 'pbs-b' }, ['host']],
  [{}, { port: 8008 }, ['port']],
  [{}, { token_id: 'root@pam!x' }, ['token_id']],
  [{}, { fingerprint: '' }, ['fingerprint']],
  [{}, { fingerprint: null }, ['fingerprint']],
  [{}, { verify_ssl: false }, ['verify_ssl']],
  // A renewed certificate, a first pin, a stricter check.
  [{}, { fingerprint: other }, []],
  [{ fingerprint: null }, { fingerprint: other }, []],
  [{ fingerprint: null }, { fingerprint: '' }, []],
  [{ verify_ssl: false }, { verify_ssl: true }, []],
  // Never in company of something else.
  [{}, { fingerprint: other, verify_ssl: false }, ['verify_ssl']],
  [{}, { fingerprint: other, host: 'pbs-b', port: 1 }, ['host', 'port']],
])('%j changed by %j needs the secret for %j', (was, change, fields) => {
  const stored = { ...before, ...was }
  expect(fieldsThatNeedSecret(stored, { ...stored, ...change })).toEqual(fields)
})

test('the sentence names the fields', () => {
  expect(secretNeeded(['host', 'port', 'fingerprint'])).toBe(
    'Send the secret of the token again. The stored one is kept only while host stays the same, port stays the same and fingerprint is not removed.',
  )
})
