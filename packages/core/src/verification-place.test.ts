import { expect, test } from 'vitest'
import { verificationPlace, verifiedAt } from './verification-place.ts'

const nodes = { own: new Set(['pbs-a', 'twin']), others: new Set(['pbs-b', 'twin']) }
const upid = (node: string, worker: string, id: string) =>
  `UPID:${node}:000003F2:00001A2B:00000900:6A1DF2D4:${worker}:${id}:root@pam:`

test.each([
  ['a job of this datastore', upid('pbs-a', 'verificationjob', 'tank\\x2d1\\x3av\\x2d1'), 'here'],
  ['a whole datastore', upid('pbs-a', 'verify', 'tank\\x2d1'), 'here'],
  ['a group', upid('pbs-a', 'verify_group', 'tank\\x2d1\\x3avm-101'), 'here'],
  ['a snapshot', upid('pbs-a', 'verify_snapshot', 'tank\\x2d1\\x3avm-101-6A1DF2D4'), 'here'],
  ['another datastore of this server', upid('pbs-a', 'verify', 'main'), 'elsewhere'],
  ['a datastore whose name only begins like this', upid('pbs-a', 'verify', 'tank\\x2d10'), 'elsewhere'],
  ['a datastore of that name on another server', upid('pbs-b', 'verify', 'tank\\x2d1'), 'elsewhere'],
  ['another datastore of a server that is not known', upid('pbs-z', 'verify', 'main'), 'elsewhere'],
  ['a datastore of that name on a server that is not known', upid('pbs-z', 'verify', 'tank\\x2d1'), 'unknown'],
  ['a node that two servers have', upid('twin', 'verify', 'tank\\x2d1'), 'unknown'],
  ['a worker that verifies nothing', upid('pbs-a', 'backup', 'tank\\x2d1'), 'unknown'],
  ['a worker without an id', upid('pbs-a', 'verify', ''), 'unknown'],
  ['no node', upid('', 'verify', 'tank\\x2d1'), 'unknown'],
  ['no UPID', 'verified', 'unknown'],
  ['nothing', '', 'unknown'],
])('a verification whose UPID names %s', (_, verification_upid, place) => {
  expect(verificationPlace({ datastore_name: 'tank-1', verification_state: 'ok', verification_upid }, nodes)).toBe(
    place,
  )
})

test('a snapshot that was not verified was verified nowhere', () => {
  const none = { datastore_name: 'tank-1', verification_state: '', verification_upid: '' }
  expect(verificationPlace(none, nodes)).toBe('none')
})

test.each([
  ['UPID:pbs1:000003E8:00000ABC:00000001:6835A3B0:verificationjob:tank%3av:root@pam:', 0x6835a3b0],
  ['UPID:pbs1:000003E8:00000ABC:00000001:00000000:verificationjob:tank:root@pam:', null],
  ['UPID:pbs1:000003E8:00000ABC:00000001::verificationjob:tank:root@pam:', null],
  ['UPID:pbs1:000003E8', null],
  ['TASK:pbs1:000003E8:00000ABC:00000001:6835A3B0:verificationjob:tank:root@pam:', null],
  ['', null],
])('the verification %j began at %j', (verification_upid, start) => {
  expect(verifiedAt({ verification_state: 'ok', verification_upid })).toBe(start)
  expect(verifiedAt({ verification_state: '', verification_upid })).toBeNull()
})
