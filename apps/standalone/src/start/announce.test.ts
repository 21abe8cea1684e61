import { Redacted } from 'effect'
import { expect, test } from 'vitest'
import { adviceFor, readyLine } from './announce.ts'

test('PostgreSQL is recommended beyond 200 000 snapshots', () => {
  expect(adviceFor(200_000)).toBeNull()
  expect(adviceFor(200_001)).toBe(
    'the embedded database holds 200001 snapshots and is meant for up to 200000: set DATABASE_URL to a PostgreSQL to stay fast',
  )
})

test.each([
  ['made by this start', { file: '/srv/token', made: true }, true, 'token nbt_secret'],
  ['made by this start, away from a terminal', { file: '/srv/token', made: true }, false, 'token in /srv/token'],
  ['of an earlier start', { file: '/srv/token', made: false }, true, 'token in /srv/token'],
  ['given by the operator', { file: null, made: false }, true, 'token as given by NETBOX_PBS_BOOTSTRAP_TOKEN'],
])('of a token %s the ready line says how to get at it', (_, from, terminal, said) => {
  const token = { token: Redacted.make('nbt_secret'), ...from }
  expect(readyLine({ url: 'http://127.0.0.1:8000', token }, terminal)).toBe(
    `netbox-pbs ready: http://127.0.0.1:8000/plugins/pbs/ ${said}`,
  )
})
