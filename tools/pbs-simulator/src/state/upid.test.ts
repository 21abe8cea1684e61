import { expect, test } from 'vitest'
import { escapeWorkerId, formatUpid, startTimeOf } from './upid.ts'

test.each([
  ['tank:v-7c1e-2b', 'tank\\x3av\\x2d7c1e\\x2d2b'],
  ['tank:vm/101', 'tank\\x3avm-101'],
  ['pbs-dr:vault:tank::s-offsite', 'pbs\\x2ddr\\x3avault\\x3atank\\x3a\\x3as\\x2doffsite'],
  ['.hidden.id', '\\x2ehidden.id'],
  ['ü', '\\xc3\\xbc'],
  ['', ''],
])('%s is escaped as %s', (workerId, escaped) => {
  expect(escapeWorkerId(workerId)).toBe(escaped)
})

test('a UPID carries its start time in upper-case hex', () => {
  const upid = formatUpid({
    node: 'pbs1',
    taskId: 0x17,
    startTime: 0x6a1ceea8,
    workerType: 'garbage_collection',
    workerId: 'tank',
    authId: 'root@pam',
  })
  expect(upid).toBe('UPID:pbs1:000003F2:00001A2B:00000017:6A1CEEA8:garbage_collection:tank:root@pam:')
  expect(startTimeOf(upid)).toBe(0x6a1ceea8)
})
