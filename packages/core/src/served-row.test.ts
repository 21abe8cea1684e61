import { expect, test } from 'vitest'
import type { ModelName } from './registry/field.ts'
import { display } from './served-row.ts'

const common = { id: 1, serverName: 'pbs-a', tags: [], custom_fields: {}, created: '', last_updated: '' }

test.each<[ModelName, Readonly<Record<string, unknown>>, string]>([
  ['server', { name: 'pbs-a' }, 'pbs-a'],
  ['datastore', { name: 'tank' }, 'tank (pbs-a)'],
  ['namespace', { datastore_name: 'tank', path: 'site-a/lab' }, 'tank/site-a/lab'],
  ['namespace', { datastore_name: 'tank', path: '' }, 'tank/(root)'],
  ['group', { backup_type: 'vm', backup_id: '100' }, 'vm/100'],
  // A type that we do not know is shown as the source wrote it.
  ['group', { backup_type: 'qemu', backup_id: '100' }, 'qemu/100'],
  ['snapshot', { backup_type: 'ct', backup_id: '1', backup_time: '2026-05-01T02:00:00Z' }, 'ct/1/2026-05-01T02:00:00Z'],
  [
    'snapshot',
    { backup_type: 'ct', backup_id: '1', backup_time: '2026-05-01T02:00:00.500000Z' },
    'ct/1/2026-05-01T02:00:00Z',
  ],
  ['job', { job_type: 'gc', job_id: 'tank' }, 'gc/tank'],
  ['task', { worker_type: 'backup', worker_id: 'tank:vm/101' }, 'backup tank:vm/101'],
  ['task', { worker_type: 'aptupdate', worker_id: '' }, 'aptupdate'],
])('%s %j', (model, row, text) => {
  expect(display(model, { ...common, ...row })).toBe(text)
})
