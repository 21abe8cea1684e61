import { expect, test } from 'vitest'
import { readSecret } from './read-secret.ts'

const server = { name: 'pbs-a', host: '127.0.0.1', port: 1, token_id: 'a@pbs!b', fingerprint: '', verify_ssl: true }

test.each([
  ['\ud800', 'half of a surrogate pair'],
  ['x\udc00y', 'half of a surrogate pair'],
  ['a\0b', 'control characters'],
])('a secret that no gateway can use is refused and named: %j', (token_secret, why) => {
  expect(readSecret({ token_secret }, server)).toEqual({
    _tag: 'rejected',
    errors: { token_secret: [expect.stringContaining(why)] },
  })
})
