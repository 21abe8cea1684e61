import { taskSubject } from '@netbox-pbs/core'
import { expect, test } from 'vitest'
import type { Row } from '../../rest/row.ts'
import { taskWords } from './task-words.ts'

test.each([
  ['backup', 'tank:vm/100', 'Backup vm/100 to tank'],
  ['reader', 'tank:ct/7/5F000000', 'Read ct/7 from tank'],
  ['syncjob', '-:tank:vault::s-local', 'Sync s-local between tank and vault'],
  ['syncjob', 'pbs-dr:vault:vault:site-a:s-offsite', 'Sync s-offsite between pbs-dr/vault and vault/site-a'],
  ['prunejob', 'tank:site-a', 'Prune tank/site-a'],
  ['verificationjob', 'tank:v-weekly', 'Verify v-weekly on tank'],
  ['verify_group', 'tank:site-a/vm/100', 'Verify vm/100 on tank/site-a'],
  ['garbage_collection', 'tank', 'Garbage collection on tank'],
  ['tape-backup-job', 'tank:pool:drive:t-weekly', 'Tape backup t-weekly on tank'],
  ['aptupdate', '', 'Update package lists'],
  ['syncjob', 'odd', 'Sync odd'],
  ['new-kind', 'a:b', 'new-kind a:b'],
])('a task %s %s reads %s', (worker_type, worker_id, words) => {
  const row = { worker_type, worker_id, ...taskSubject(worker_type, worker_id) }
  expect(taskWords(row as unknown as Row)).toBe(words) // border: a row needs more than its words do
})
