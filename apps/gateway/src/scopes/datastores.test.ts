import { sizeFields } from '@netbox-pbs/core'
import { PbsDatastoreConfig, PbsDatastoreListItem, PbsDatastoreUsage, PbsGcStatus } from '@netbox-pbs/pbs-client'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { pbsRow } from '../../test/pbs-row.ts'
import { closedBecause, type DatastoreParts, datastoreFrame, gcStatusOf, usagePoints } from './datastores.ts'

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
  gc: gcRow({
    ...{ upid, schedule: 'daily', 'last-run-state': 'OK', 'last-run-endtime': 1780281667 },
    ...{ 'index-data-bytes': 212_400, 'disk-bytes': 9290, 'removed-bytes': 48, 'pending-bytes': 7, 'still-bad': 0 },
  }),
}

const noGc = {
  ...{ gc_index_bytes: null, gc_disk_bytes: null, gc_removed_bytes: null, gc_pending_bytes: null },
  ...{ gc_bad_chunks: null, last_gc_at: null, last_gc_end: null },
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
        ...noGc,
        gc_index_bytes: 212_400,
        gc_disk_bytes: 9290,
        gc_removed_bytes: 48,
        gc_pending_bytes: 7,
        gc_bad_chunks: 0,
        last_gc_at: '2026-06-01T02:30:00Z',
        last_gc_end: '2026-06-01T02:41:07Z',
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
      unknown: ['path', ...sizeFields, ...Object.keys(noGc)],
      observed: {
        used_bytes: null,
        total_bytes: null,
        avail_bytes: null,
        gc_status: 'unknown',
        estimated_full_at: null,
        ...noGc,
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

  test('of a store that cannot be opened has the numbers of the list of sizes, without its end', () => {
    const usage = usageRow({ 'gc-status': { upid, 'disk-bytes': 5, 'still-bad': 2 } })
    const frame = datastoreFrame({ ...parts, usage, gc: undefined })
    expect(frame.observed).toMatchObject({ gc_disk_bytes: 5, gc_bad_chunks: 2, last_gc_end: null })
    expect(frame.unknown).toContain('last_gc_end')
    expect(frame.unknown).not.toContain('gc_disk_bytes')
  })

  test('that never succeeded has no numbers, though PBS sends zeros', () => {
    const zeros = { 'index-data-bytes': 0, 'disk-bytes': 0, 'removed-bytes': 0, 'pending-bytes': 0, 'still-bad': 0 }
    const frame = datastoreFrame({ ...parts, gc: gcRow({ upid: null, ...zeros }) })
    expect(frame.observed).toMatchObject(noGc)
    expect(frame.unknown).toBeUndefined()
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

const hour = 3600
/** Midnight of 1 May 2026. */
const may = Date.parse('2026-05-01T00:00:00Z') / 1000
const of = (history: ReadonlyArray<number | null>, start = may, total = 1000, delta = hour) =>
  usagePoints({ total, history, 'history-start': start, 'history-delta': delta })
const hours = (count: number, share: number | null = 0.5) => Array.from({ length: count }, () => share)
const point = (time: string, used_bytes: number) => ({ time: `2026-05-${time}:00:00Z`, used_bytes, total_bytes: 1000 })

test.each([
  ['the list, since PBS 4.2', { 'backend-type': 's3' }, {}],
  ['its configuration, since PBS 4.0', { 'backend-type': null }, { backend: 'type=s3,client=minio,bucket=pbs' }],
])('a datastore in S3, by %s, has no size: PBS measures the disk of its cache', (_, inList, inConfig) => {
  const { listed, configured, usage } = parts
  const frame = datastoreFrame({
    ...parts,
    listed: { ...listed, ...inList },
    configured: { ...(configured ?? pbsRow(PbsDatastoreConfig, { name: 'tank' })), ...inConfig },
    usage: { ...(usage ?? pbsRow(PbsDatastoreUsage, { store: 'tank' })), history: [0.1, 0.2], total: 100 },
  })
  expect(frame.backend_type).toBe('s3')
  // What garbage collection counts is in the store itself.
  expect(frame.observed).toEqual({
    ...datastoreFrame(parts).observed,
    ...{ used_bytes: null, total_bytes: null, avail_bytes: null, estimated_full_at: null },
  })
})

describe('the usage of a datastore', () => {
  test('is the mean of each slot, oldest first', () => {
    expect(of([...hours(3, 0.1), ...hours(3, 0.3), ...hours(6, 0.4), 0.9])).toEqual([
      point('01T00', 200),
      point('01T06', 400),
    ])
  })

  test('leaves out slots that are not over: the last step is still measured', () => {
    expect(of(hours(6))).toEqual([])
    expect(of(hours(7))).toEqual([point('01T00', 500)])
    expect(of(hours(12))).toEqual([point('01T00', 500)])
  })

  test('leaves out the slot in which the history begins', () => {
    expect(of(hours(13), may + hour)).toEqual([point('01T06', 500)])
    expect(of(hours(13), may)).toEqual([point('01T00', 500), point('01T06', 500)])
  })

  test('passes over gaps, and over a slot that is all gap', () => {
    expect(of([...hours(5, null), 0.2, ...hours(6, null), ...hours(6), 0.5])).toEqual([
      point('01T00', 200),
      point('01T12', 500),
    ])
  })

  test('reads the same a step later', () => {
    const month = Array.from({ length: 1441 }, (_, i) => ((i * 37) % 100) / 100)
    const later = [...month.slice(1), 0.77]
    const before = of(month, may, 1000, 1800)
    expect(before).toHaveLength(120)
    const after = new Map(of(later, may + 1800, 1000, 1800).map((one) => [one.time, one]))
    expect(before.filter(({ time }) => after.has(time))).toHaveLength(119)
    for (const one of before) expect(after.get(one.time) ?? one).toEqual(one)
  })

  test('is bounded', () => {
    const points = of(hours(6 * 300 + 1))
    expect(points).toHaveLength(200)
    expect(points.at(-1)?.time).toBe('2026-07-14T18:00:00Z')
  })

  test.each([
    ['nothing', {}],
    ['no total', { total: null, history: hours(7), 'history-start': may, 'history-delta': hour }],
    ['a total of -1, as before 3.1.3', { total: -1, history: hours(7), 'history-start': may, 'history-delta': hour }],
    ['no history', { total: 1000 }],
    ['no start', { total: 1000, history: hours(7), 'history-delta': hour }],
    ['no step', { total: 1000, history: hours(7), 'history-start': may, 'history-delta': 0 }],
    ['steps of a day', { total: 1000, history: hours(7), 'history-start': may, 'history-delta': 24 * hour }],
    ['shares that are none', { total: 1000, history: hours(7, 1.5), 'history-start': may, 'history-delta': hour }],
  ])('of %s has no points', (_, usage) => {
    const none = { total: null, history: null, 'history-start': null, 'history-delta': null }
    expect(usagePoints({ ...none, ...usage })).toEqual([])
  })
})
