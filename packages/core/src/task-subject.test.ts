import { expect, test } from 'vitest'
import { type TaskSubject, taskSubject } from './task-subject.ts'

const nothing: TaskSubject = {
  datastore_name: '',
  namespace: '',
  backup_type: '',
  backup_id: '',
  job_type: '',
  job_id: '',
}
const guest = { datastore_name: 'tank', backup_type: 'vm', backup_id: '101' }
const prune = { datastore_name: 'tank', job_type: 'prune' }
const sync = { datastore_name: 'tank', job_type: 'sync', job_id: 's-offsite' }

test.each<[type: string, id: string | null, subject: Partial<TaskSubject>]>([
  ['backup', 'tank:vm/101', guest],
  ['backup', 'tank:host/a.b-c', { datastore_name: 'tank', backup_type: 'host', backup_id: 'a.b-c' }],
  ['backup', 'tank', {}],
  ['backup', 'tank:vm/101/6A1DF2D4', {}],
  ['reader', 'tank:vm/101/6A1DF2D4', guest],
  ['garbage_collection', 'tank', { datastore_name: 'tank', job_type: 'gc', job_id: 'tank' }],
  ['verificationjob', 'tank:v-7c1e-2b', { datastore_name: 'tank', job_type: 'verify', job_id: 'v-7c1e-2b' }],
  ['verificationjob', 'tank', {}],
  ['verify', 'tank', { datastore_name: 'tank' }],
  ['verify', 'tank:ns/site-a/ns/lab', { datastore_name: 'tank', namespace: 'site-a/lab' }],
  ['verify_group', 'tank:/vm/101', guest],
  ['verify_group', 'tank:ns/site-a/vm/101', { ...guest, namespace: 'site-a' }],
  ['verify_snapshot', 'tank:ns/site-a/ns/lab/vm/101/6A1DF2D4', { ...guest, namespace: 'site-a/lab' }],
  ['verify_snapshot', 'tank:site-a/vm/101/6A1DF2D4', { ...guest, namespace: 'site-a' }],
  ['verify_snapshot', 'tank', {}],
  ['prunejob', 'tank', prune],
  ['prunejob', 'tank:site-a/lab', { ...prune, namespace: 'site-a/lab' }],
  ['prune', 'tank:', { datastore_name: 'tank' }],
  ['prune', 'tank:site-a', { datastore_name: 'tank', namespace: 'site-a' }],
  ['prune', 'tank:site-a:vm/101', { ...guest, namespace: 'site-a' }],
  ['prune', 'tank::vm/101', guest],
  ['syncjob', 'pbs-dr:vault:tank::s-offsite', sync],
  ['syncjob', '-:vault:tank:site-a:s-offsite', { ...sync, namespace: 'site-a' }],
  ['syncjob', 'pbs-dr:vault:tank:s-offsite', sync],
  ['syncjob', 'tank:s-offsite', {}],
  ['tape-backup', 'tank:offsite8:lto8a', { datastore_name: 'tank' }],
  ['tape-backup-job', 'tank:offsite8:lto8a:t-weekly', { datastore_name: 'tank', job_type: 'tape', job_id: 't-weekly' }],
  ['tape-backup', 'tank:offsite8', {}],
  ['tape-backup-job', 'tank:offsite8:lto8a:t-weekly:more', {}],
  ['verificationjob', 'tank:v-7c1e-2b:more', {}],
  ['garbage_collection', '', {}],
  ['prunejob', ':site-a', {}],
  ['syncjob', 'pbs-dr:vault::site-a:s-offsite', {}],
  ['syncjob', 'pbs-dr:vault:tank:a:b:s-offsite', {}],
  ['unmount-device', 'tank', { datastore_name: 'tank' }],
  ['sync', 'anything', {}],
  ['aptupdate', null, {}],
  ['termproxy', '', {}],
  ['toString', 'tank', {}],
])('%s %s', (type, id, subject) => {
  expect(taskSubject(type, id)).toEqual({ ...nothing, ...subject })
})
