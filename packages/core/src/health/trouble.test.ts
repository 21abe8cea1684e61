import { expect, test } from 'vitest'
import { concernsServer } from './server-health.ts'
import { failureScope } from './trouble.ts'

test.each([
  ['unreachable', 'unclear'],
  ['timeout', 'unclear'],
  ['tls_fingerprint_mismatch', 'server'],
  ['tls_untrusted', 'server'],
  ['unauthorized', 'unclear'],
  ['forbidden', 'list'],
  ['maintenance', 'list'],
  ['not_mounted', 'list'],
  ['protocol', 'list'],
  ['cut_off', 'list'],
  ['', 'list'],
] as const)('a list that failed as %s: the trouble of %s', (code, whose) => {
  expect(failureScope(code)).toBe(whose)
  expect(concernsServer(code)).toBe(whose !== 'list')
})
