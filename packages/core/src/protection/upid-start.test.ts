import { expect, test } from 'vitest'
import { upidStart } from './upid-start.ts'

test.each([
  ['UPID:pbs1:000003E8:00000ABC:00000001:6835A3B0:verificationjob:tank%3av:root@pam:', 0x6835a3b0],
  ['UPID:pbs1:000003E8:00000ABC:00000001::verificationjob:tank:root@pam:', null],
  ['UPID:pbs1:000003E8', null],
  ['TASK:pbs1:000003E8:00000ABC:00000001:6835A3B0:verificationjob:tank:root@pam:', null],
  ['', null],
])('the task %j began at %j', (upid, start) => {
  expect(upidStart(upid)).toBe(start)
})
