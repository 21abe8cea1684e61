import { expect, test } from 'vitest'
import { failureWarnings, type ServerFailure } from './servers.ts'

const failure = (server: string, code: ServerFailure['code']): ServerFailure => ({
  server,
  code,
  message: `it is ${code}.`,
})

test('each server that fails is warned of by name, in the order of names', () => {
  expect(failureWarnings([failure('b', 'timeout'), failure('a', 'unreachable')], 3)).toEqual([
    { code: 'unreachable', message: 'a: it is unreachable.' },
    { code: 'timeout', message: 'b: it is timeout.' },
  ])
})

test.each(['unreachable', 'timeout', 'tls_fingerprint_mismatch', 'tls_untrusted', 'unauthorized'] as const)(
  'all servers that fail by %s at once have one warning, which says where to look',
  (code) => {
    const [warning, ...more] = failureWarnings([failure('b', code), failure('a', code)], 2)
    expect(more).toEqual([])
    expect(warning?.code).toBe('all_servers_failed')
    expect(warning?.message).toMatch(
      new RegExp(`^all 2 servers fail with ${code} at once: .*gateway.* a: it is ${code}\\.$`),
    )
  },
)

test.each<[string, ReadonlyArray<ServerFailure>, number]>([
  ['one server alone', [failure('a', 'timeout')], 1],
  ['all but one', [failure('a', 'timeout'), failure('b', 'timeout')], 3],
  ['all, in two ways', [failure('a', 'timeout'), failure('b', 'unreachable')], 2],
  ['all, in a way of their own', [failure('a', 'forbidden'), failure('b', 'forbidden')], 2],
  ['none', [], 2],
])('%s: no cause of all', (_, failures, contacted) => {
  expect(failureWarnings(failures, contacted).map(({ code }) => code)).toEqual(failures.map(({ code }) => code))
})
