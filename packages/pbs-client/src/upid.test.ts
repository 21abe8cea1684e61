import { describe, expect, test } from 'vitest'
import { escapeWorkerId, formatUpid, type PbsUpid, parseUpid, unescapeWorkerId } from './upid.ts'

const common = { node: 'pbs1', pid: 0x3f2, pstart: 0x1a2b }

describe('a UPID', () => {
  const rows: ReadonlyArray<readonly [string, PbsUpid]> = [
    [
      'UPID:pbs1:000003F2:00001A2B:00000021:6A1A6ED0:verificationjob:tank\\x3av\\x2d7c1e\\x2d2b:root@pam:',
      {
        ...common,
        taskId: 0x21n,
        startTime: 0x6a1a6ed0,
        workerType: 'verificationjob',
        workerId: 'tank:v-7c1e-2b',
        authId: 'root@pam',
      },
    ],
    [
      'UPID:pbs1:000003F2:00001A2B:0000002E:6A1DF2D4:backup:tank\\x3avm-101:backup@pbs!pve:',
      {
        ...common,
        taskId: 0x2en,
        startTime: 0x6a1df2d4,
        workerType: 'backup',
        workerId: 'tank:vm/101',
        authId: 'backup@pbs!pve',
      },
    ],
    [
      'UPID:pbs1:000003F2:1A2B3C4D5:FEDCBA9876543210:6A1DF2D4:logrotate::root@pam:',
      {
        ...common,
        pstart: 0x1a2b3c4d5,
        taskId: 0xfedcba9876543210n,
        startTime: 0x6a1df2d4,
        workerType: 'logrotate',
        workerId: null,
        authId: 'root@pam',
      },
    ],
  ]
  test.each(rows)('%s reads and writes back', (text, upid) => {
    expect(parseUpid(text)).toEqual(upid)
    expect(formatUpid(upid)).toBe(text)
  })

  test.each([
    '',
    'UPID:pve1:000003F2:00001A2B:6A1A6ED0:vzdump:101:root@pam:',
    'UPID:pbs1:000003F2:00001A2B:00000021:6A1A6ED0:verify:tank:root@pam',
    'UPID:pbs1:000003G2:00001A2B:00000021:6A1A6ED0:verify:tank:root@pam:',
    ' UPID:pbs1:000003F2:00001A2B:00000021:6A1A6ED0:verify:tank:root@pam:',
  ])('%j is none', (text) => {
    expect(parseUpid(text)).toBeNull()
  })
})

describe('a worker id', () => {
  test.each([
    ['pbs-dr:vault:tank::s-offsite', 'pbs\\x2ddr\\x3avault\\x3atank\\x3a\\x3as\\x2doffsite'],
    ['tank:site-a/vm/101', 'tank\\x3asite\\x2da-vm-101'],
    ['.hidden.x', '\\x2ehidden.x'],
    ['a_b é', 'a_b\\x20\\xc3\\xa9'],
    ['back\\slash', 'back\\x5cslash'],
  ])('%s', (plain, escaped) => {
    expect(escapeWorkerId(plain)).toBe(escaped)
    expect(unescapeWorkerId(escaped)).toBe(plain)
  })
})
