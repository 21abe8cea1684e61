import { PbsDatastoreConfig, PbsDatastoreListItem, PbsDatastoreUsage, PbsGcStatus } from '@netbox-pbs/pbs-client'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { pbsRow } from '../../test/pbs-row.ts'
import { closedBecause, type DatastoreParts, datastoreFrame, gcStatusOf } from './datastores.ts'

const upid = 'UPID:pbs1:000003F2:00001A2B:00000017:6A1CEEA8:garbage_collection:tank:root@pam:'

const listedRow = (row: Partial<z.input<typeof PbsDatastoreListItem>>) =>
  pbsRow(PbsDatastoreListItem, { store: 'tank', ...row })
const usageRow = (row: Partial<z.input<typeof PbsDatastoreUsage>>) =>
  pbsRow(PbsDatastoreUsage, { store: 'tank', ...row })
const gcRow = (row: Partial<z.input<typeof PbsGcStatus>>) => pbsRow(PbsGcStatus, { store: 'tank', ...row })

const parts: DatastoreParts = {
  server: 'pbs-a',
  listed: listedRow({ comment: 'main pool\n', 'mount-status': 'nonremovable', 'backend-type': 'filesystem' }),
  configured: pbsRow(PbsDatastoreConfig, { name: 'tank', path: '/mnt/datastore/tank', comment: 'other' }),
  usage: usageRow({
    total: 15840000000000,
    used: 9310000000000,
    avail: 6530000000000,
    'estimated-full-date': 1803800000,
    'gc-status': { upid },
  }),
  gc: gcRow({ upid, schedule: 'daily', 'last-run-state': 'OK' }),
}

describe('a datastore', () => {
  test('is put together from four lists', () => {
    expect(datastoreFrame(parts)).toEqual({
      frame: 'datastore',
      server: 'pbs-a',
      name: 'tank',
      path: '/mnt/datastore/tank',
      comment: 'main pool',
      maintenance: '',
      mount_status: 'nonremovable',
      backend_type: 'filesystem',
      observed: {
        used_bytes: 9310000000000,
        total_bytes: 15840000000000,
        avail_bytes: 6530000000000,
        gc_status: 'ok',
        estimated_full_at: '2027-02-28T07:33:20Z',
      },
    })
  })

  test('of which only the name may be seen has blank facts and no observations', () => {
    const bare = {
      ...parts,
      listed: listedRow({ comment: null }),
      configured: undefined,
      usage: undefined,
      gc: undefined,
    }
    expect(datastoreFrame(bare)).toEqual({
      frame: 'datastore',
      server: 'pbs-a',
      name: 'tank',
      path: '',
      comment: '',
      maintenance: '',
      mount_status: '',
      backend_type: '',
      unknown: ['path'],
      observed: {
        used_bytes: null,
        total_bytes: null,
        avail_bytes: null,
        gc_status: 'unknown',
        estimated_full_at: null,
      },
    })
  })

  test.each([
    ['offline', 'offline'],
    ['offline,message="disk at vault"', 'offline: disk at vault'],
    ['type=read-only,message=a%20b', 'read-only: a b'],
    ['s3-refresh', 's3-refresh'],
    [null, ''],
  ])('maintenance %j reads %j', (maintenance, expected) => {
    expect(datastoreFrame({ ...parts, listed: { ...parts.listed, maintenance } }).maintenance).toBe(expected)
  })

  test.each([
    [-1, null],
    [undefined, null],
    [null, null],
    [0, 0],
    [42, 42],
  ])('total %s is %s', (total, expected) => {
    const usage = usageRow({ total })
    expect(datastoreFrame({ ...parts, usage }).observed.total_bytes).toBe(expected)
  })

  test.each([
    [0, null],
    [undefined, null],
    [99_999_999_999_999, null],
    [1803800000, '2027-02-28T07:33:20Z'],
  ])('full at %s is %s', (date, expected) => {
    const usage = usageRow({ 'estimated-full-date': date })
    expect(datastoreFrame({ ...parts, usage }).observed.estimated_full_at).toBe(expected)
  })
})

describe('garbage collection', () => {
  test.each<[string, Parameters<typeof gcRow>[0], string]>([
    ['ended well', { upid, 'last-run-state': 'OK' }, 'ok'],
    ['ended with warnings', { upid, 'last-run-state': 'WARNINGS: 2' }, 'ok'],
    ['failed', { upid, 'last-run-state': 'unable to read chunk' }, 'error'],
    ['died', { upid, 'last-run-state': 'unknown' }, 'unknown'],
    ['is running: the end is missing', { upid, schedule: 'daily' }, 'running'],
    ['never ran but is scheduled', { upid: null, schedule: 'daily' }, 'pending'],
    ['never ran and is not scheduled', { upid: null }, 'unknown'],
  ])('that %s', (_, gc, expected) => {
    expect(gcStatusOf(gcRow(gc), undefined)).toBe(expected)
  })

  test('of a store that cannot be opened: only a former success is known', () => {
    expect(gcStatusOf(undefined, usageRow({ 'gc-status': { upid } }))).toBe('ok')
    expect(gcStatusOf(undefined, usageRow({ 'gc-status': { upid: null } }))).toBe('unknown')
  })
})

describe('a store can be read', () => {
  test.each([
    ['without a mode', {}, null],
    ['read-only', { maintenance: 'read-only,message=x' }, null],
    ['offline', { maintenance: 'offline' }, 'maintenance'],
    ['being deleted', { maintenance: 'delete' }, 'maintenance'],
    ['being unmounted', { maintenance: 'unmount', 'mount-status': 'mounted' }, 'maintenance'],
    ['in a mode of tomorrow', { maintenance: 'defrag' }, 'maintenance'],
    ['not mounted', { 'mount-status': 'notmounted' }, 'not_mounted'],
    ['mounted', { 'mount-status': 'mounted' }, null],
  ])('%s', (_, row, expected) => {
    expect(closedBecause(listedRow(row))?.code ?? null).toBe(expected)
  })
})
