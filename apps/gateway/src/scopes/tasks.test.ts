import { PbsTask } from '@netbox-pbs/pbs-client'
import { expect, test } from 'vitest'
import { pbsRow } from '../../test/pbs-row.ts'
import { taskFrame } from './tasks.ts'

const listed = pbsRow(PbsTask, {
  upid: 'UPID:pbs1:000003F2:00001A2B:0000002E:6A1DF2D4:verify_group:tank\\x3ans-site\\x2da-vm-101:backup@pbs!pve:',
  starttime: 1_780_347_604,
  worker_type: 'verify_group',
  worker_id: 'tank:ns/site-a/vm/101',
  user: 'backup@pbs!pve',
  endtime: 1_780_347_799,
  status: 'OK',
})

test('a task says what it works on, and how it ended apart from that', () => {
  expect(taskFrame('pbs-a', listed)).toEqual({
    frame: 'task',
    server: 'pbs-a',
    upid: listed.upid,
    node: 'pbs1',
    worker_type: 'verify_group',
    worker_id: 'tank:ns/site-a/vm/101',
    user: 'backup@pbs!pve',
    starttime: '2026-06-01T21:00:04Z',
    datastore_name: 'tank',
    namespace: 'site-a',
    backup_type: 'vm',
    backup_id: '101',
    job_type: '',
    job_id: '',
    observed: { endtime: '2026-06-01T21:03:19Z', outcome: 'ok', status: 'OK' },
  })
})

test.each([
  [
    { status: null, endtime: null },
    { outcome: 'running', status: '', endtime: null },
  ],
  [{ status: 'WARNINGS: 2' }, { outcome: 'warning', status: 'WARNINGS: 2', endtime: '2026-06-01T21:03:19Z' }],
  [
    { status: 'unknown', endtime: listed.starttime },
    { outcome: 'unknown', status: 'unknown', endtime: '2026-06-01T21:00:04Z' },
  ],
  [
    { status: `no\0 ${'x'.repeat(5000)}` },
    { outcome: 'error', status: `no ${'x'.repeat(996)}`, endtime: '2026-06-01T21:03:19Z' },
  ],
])('an end %j', (change, observed) => {
  expect(taskFrame('pbs-a', { ...listed, ...change })?.observed).toEqual(observed)
})

test('a task without an id works on nothing, one that is no UPID has no node, one without a start or with an endless UPID is none', () => {
  expect(taskFrame('pbs-a', { ...listed, worker_type: 'aptupdate', worker_id: null, upid: 'U' })).toMatchObject({
    worker_id: '',
    datastore_name: '',
    node: '',
  })
  expect(taskFrame('pbs-a', { ...listed, starttime: 0 })).toBeNull()
  expect(taskFrame('pbs-a', { ...listed, upid: `UPID:${'x'.repeat(2000)}` })).toBeNull()
})
