import {
  PbsDatastoreConfig,
  PbsGcStatus,
  type PbsJobType,
  PbsPruneJob,
  PbsSyncJob,
  PbsTapeJob,
  PbsVerifyJob,
} from '@netbox-pbs/pbs-client'
import { describe, expect, test } from 'vitest'
import { pbsRow } from '../../test/pbs-row.ts'
import { gcJobFrame, jobFrame } from './jobs.ts'

const schemas = { verify: PbsVerifyJob, prune: PbsPruneJob, sync: PbsSyncJob, tape: PbsTapeJob }
const upid = 'UPID:x'
const plain = { store: 'tank', namespace: '', remote: '', schedule: '', comment: '', disable: false, options: {} }
const never = { last_run_state: 'unknown', last_run_error: '', last_run_endtime: null, next_run: null }

describe('a job', () => {
  test.each<[PbsJobType, { readonly id: string; readonly store: string } & Record<string, unknown>, object]>([
    [
      'verify',
      {
        id: 'v-1',
        store: 'tank',
        ns: 'site-a',
        'ignore-verified': true,
        'outdated-after': 30,
        schedule: 'sat 05:00',
        'next-run': 1780722000,
        'last-run-state': 'OK',
        'last-run-upid': upid,
        'last-run-endtime': 1780117964,
      },
      {
        ...plain,
        job_id: 'v-1',
        namespace: 'site-a',
        schedule: 'sat 05:00',
        options: { 'ignore-verified': true, 'outdated-after': 30 },
        observed: {
          last_run_state: 'ok',
          last_run_error: '',
          last_run_endtime: '2026-05-30T05:12:44Z',
          next_run: '2026-06-06T05:00:00Z',
        },
      },
    ],
    [
      'prune',
      { id: 'p-old', store: 'tank', disable: true, schedule: 'weekly', 'keep-yearly': 2, 'max-depth': null },
      { ...plain, job_id: 'p-old', schedule: 'weekly', disable: true, options: { 'keep-yearly': 2 }, observed: never },
    ],
    [
      'sync',
      {
        id: 's-offsite',
        store: 'tank',
        remote: 'pbs-dr',
        'remote-store': 'vault',
        'remote-ns': 'site-a',
        'sync-direction': 'push',
        'remove-vanished': false,
        'rate-out': '20 MiB',
        'last-run-upid': upid,
        'group-filter': ['type:vm'],
        comment: 'off site\nlong story',
        unsafeIntegers: [],
      },
      {
        ...plain,
        job_id: 's-offsite',
        remote: 'pbs-dr',
        comment: 'off site',
        options: {
          'remote-store': 'vault',
          'remote-ns': 'site-a',
          'sync-direction': 'push',
          'remove-vanished': false,
          'rate-out': '20 MiB',
          'group-filter': ['type:vm'],
        },
        observed: { ...never, last_run_state: 'running' },
      },
    ],
    [
      'tape',
      {
        id: 't-weekly',
        store: 'tank',
        pool: 'offsite8',
        drive: 'lto8a',
        'latest-only': true,
        'next-media-label': 'PBS012L8',
      },
      {
        ...plain,
        job_id: 't-weekly',
        options: { pool: 'offsite8', drive: 'lto8a', 'latest-only': true },
        observed: never,
      },
    ],
  ])('of the kind %s', (type, listed, expected) => {
    expect(jobFrame('pbs-a', type, pbsRow(schemas[type], listed))).toEqual({
      frame: 'job',
      server: 'pbs-a',
      job_type: type,
      ...expected,
    })
  })

  test.each([
    ['OK', 'ok', ''],
    ['WARNINGS: 2', 'warning', 'WARNINGS: 2'],
    ['unknown', 'unknown', ''],
    ['client error (Connect)\0\n', 'error', 'client error (Connect)'],
    ['x'.repeat(5000), 'error', 'x'.repeat(1000)],
    [null, 'running', ''],
  ])('whose last run said %j is %s', (state, last_run_state, last_run_error) => {
    const row = pbsRow(PbsVerifyJob, { id: 'v', store: 'tank', 'last-run-upid': upid, 'last-run-state': state })
    const job = jobFrame('pbs-a', 'verify', row)
    expect(job.observed).toMatchObject({ last_run_state, last_run_error })
  })
})

describe('a gc job', () => {
  const config = pbsRow(PbsDatastoreConfig, {
    name: 'tank',
    'gc-schedule': 'daily',
    'gc-on-unmount': true,
    path: '/mnt/tank',
  })

  test('is known by its store and takes its state from the list of garbage collections', () => {
    const state = pbsRow(PbsGcStatus, {
      store: 'tank',
      upid,
      'last-run-state': 'OK',
      'last-run-endtime': 1780281667,
      'next-run': 1780367400,
    })
    expect(gcJobFrame('pbs-a', config, state)).toEqual({
      ...plain,
      frame: 'job',
      server: 'pbs-a',
      job_type: 'gc',
      job_id: 'tank',
      schedule: 'daily',
      options: { 'gc-on-unmount': true },
      observed: {
        last_run_state: 'ok',
        last_run_error: '',
        last_run_endtime: '2026-06-01T02:41:07Z',
        next_run: '2026-06-02T02:30:00Z',
      },
    })
  })

  test('of a store that cannot be opened keeps its row', () => {
    expect(gcJobFrame('pbs-a', pbsRow(PbsDatastoreConfig, { name: 'usb1' }), undefined)).toMatchObject({
      job_id: 'usb1',
      schedule: '',
      observed: never,
    })
  })
})
