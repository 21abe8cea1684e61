import { PbsGroup, PbsSnapshot } from '@netbox-pbs/pbs-client'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { pbsRow } from '../../test/pbs-row.ts'
import { cryptModeOf, groupFrame, groupKey, groupSnapshot, hasReadableManifest, isFinished } from './group-frame.ts'
import { sortedGroups } from './snapshots.ts'

const row = (type: string, id: string, time: number) =>
  pbsRow(PbsSnapshot, { 'backup-type': type, 'backup-id': id, 'backup-time': time })
const group = (type: string, id: string) =>
  pbsRow(PbsGroup, { 'backup-type': type, 'backup-id': id, 'backup-count': 1 })

test('a group holds its snapshots newest first, whatever the order of the source', () => {
  const place = { server: 'pbs-a', datastore_name: 'tank', namespace: 'site-a' }
  const listed = { ...group('vm', '101'), owner: 'backup@pbs!pve', comment: 'web01\n' }
  const frame = groupFrame(place, listed, [row('vm', '101', 100), row('vm', '101', 300), row('vm', '101', 200)])
  expect({ ...frame, snapshots: frame.snapshots.map(({ backup_time }) => backup_time) }).toEqual({
    frame: 'group',
    server: 'pbs-a',
    datastore_name: 'tank',
    namespace: 'site-a',
    backup_type: 'vm',
    backup_id: '101',
    owner: 'backup@pbs!pve',
    comment: 'web01',
    snapshots: ['1970-01-01T00:05:00Z', '1970-01-01T00:03:20Z', '1970-01-01T00:01:40Z'],
  })
})

test('an unknown backup type is kept as it is', () => {
  const place = { server: 'pbs-a', datastore_name: 'tank', namespace: '' }
  expect(groupFrame(place, group('lxd', '1'), []).backup_type).toBe('lxd')
})

test('groups have one order', () => {
  const groups = [group('vm', '20'), group('ct', '9'), group('vm', '100'), group('host', 'a')]
  expect(sortedGroups(groups).map(groupKey)).toEqual(['ct/9', 'host/a', 'vm/100', 'vm/20'])
})

const finished = {
  'backup-type': 'vm',
  'backup-id': '101',
  'backup-time': 1780088404,
  comment: 'web01',
  verification: { upid: 'UPID:x', state: 'ok' },
  fingerprint: '9d:20',
  files: [
    { filename: 'qemu-server.conf.blob', 'crypt-mode': 'encrypt', size: 428 },
    { filename: 'drive-scsi0.img.fidx', 'crypt-mode': 'encrypt', size: 34359738368 },
    { filename: 'index.json.blob', 'crypt-mode': 'sign-only', size: 560 },
    { filename: 'client.log.blob' },
  ],
  size: 34359739356,
  owner: 'backup@pbs!pve',
  protected: true,
}

describe('a snapshot', () => {
  test('that is finished', () => {
    expect(groupSnapshot(pbsRow(PbsSnapshot, finished))).toEqual({
      backup_time: '2026-05-29T21:00:04Z',
      size_bytes: 34359739356,
      owner: 'backup@pbs!pve',
      protected: true,
      comment: 'web01',
      verification_state: 'ok',
      verification_upid: 'UPID:x',
      crypt_mode: 'encrypt',
      key_fingerprint: '9d:20',
      finished: true,
      manifest_files: [
        { filename: 'qemu-server.conf.blob', size: 428, crypt_mode: 'encrypt' },
        { filename: 'drive-scsi0.img.fidx', size: 34359738368, crypt_mode: 'encrypt' },
      ],
      other_files: [
        { filename: 'client.log.blob' },
        { filename: 'index.json.blob', size: 560, crypt_mode: 'sign-only' },
      ],
    })
  })

  test('that is under way has names of files alone, in one order', () => {
    const running = {
      'backup-type': 'ct',
      'backup-id': '205',
      'backup-time': 1780351800,
      files: [{ filename: 'root.pxar.didx' }, { filename: 'catalog.pcat1.didx' }],
      owner: 'backup@pbs!pve',
      protected: false,
      size: null,
    }
    expect(groupSnapshot(pbsRow(PbsSnapshot, running))).toEqual({
      backup_time: '2026-06-01T22:10:00Z',
      size_bytes: null,
      owner: 'backup@pbs!pve',
      protected: false,
      comment: '',
      verification_state: '',
      verification_upid: '',
      crypt_mode: '',
      key_fingerprint: '',
      finished: false,
      manifest_files: [],
      other_files: [{ filename: 'catalog.pcat1.didx' }, { filename: 'root.pxar.didx' }],
    })
  })

  test.each([
    [['none', 'none'], 'none'],
    [['encrypt', 'encrypt'], 'encrypt'],
    [['sign-only', 'sign-only'], 'sign-only'],
    [['encrypt', 'none'], 'mixed'],
    [['encrypt', 'sign-only'], 'mixed'],
  ])('with files %j is %s', (modes, expected) => {
    const files = modes.map((mode, index) => ({ filename: `${index}.fidx`, size: 1, 'crypt-mode': mode }))
    const manifest = { filename: 'index.json.blob', 'crypt-mode': 'sign-only', size: 1 }
    expect(groupSnapshot(pbsRow(PbsSnapshot, { ...finished, files: [...files, manifest] }))?.crypt_mode).toBe(expected)
  })

  test('whose size was beyond 2^53-1 keeps its files', () => {
    const files = [
      { filename: 'a.fidx', size: null, 'crypt-mode': 'none' },
      { filename: 'index.json.blob', size: 1 },
    ]
    expect(groupSnapshot(pbsRow(PbsSnapshot, { ...finished, size: null, files }))).toMatchObject({
      size_bytes: null,
      finished: true,
      manifest_files: [{ filename: 'a.fidx', size: null, crypt_mode: 'none' }],
    })
  })
})

type File = z.input<typeof PbsSnapshot>['files']
const snapshot = (facts: Partial<z.input<typeof PbsSnapshot>>) =>
  pbsRow(PbsSnapshot, { 'backup-type': 'vm', 'backup-id': '1', 'backup-time': 1, ...facts })
const files = (...modes: ReadonlyArray<string | null | undefined>) =>
  modes.map((mode, index) =>
    mode === undefined ? { filename: `${index}.blob` } : { filename: `${index}.blob`, 'crypt-mode': mode },
  )
const manifest = (mode: string) => ({ filename: 'index.json.blob', 'crypt-mode': mode })

describe('the crypt mode of a snapshot', () => {
  const rows: ReadonlyArray<readonly [string, File, string]> = [
    ['no files', [], 'none'],
    ['only names (running)', files(undefined, undefined), 'none'],
    ['none everywhere', files('none', 'none'), 'none'],
    [
      'all encrypted, manifest signed, a log without mode',
      [...files('encrypt', 'encrypt', undefined, null), manifest('sign-only')],
      'encrypt',
    ],
    ['all signed', [...files('sign-only', 'sign-only'), manifest('sign-only')], 'sign-only'],
    ['the signed manifest alone', [manifest('sign-only')], 'none'],
    ['some encrypted', files('encrypt', 'none'), 'mixed'],
    ['some signed', files('sign-only', 'none'), 'mixed'],
    ['encrypted and signed', files('encrypt', 'sign-only'), 'mixed'],
    ['a later mode and encrypted', files('encrypt', 'later'), 'mixed'],
  ]
  test.each(rows)('%s', (_name, list, expected) => {
    expect(cryptModeOf(snapshot({ files: list }))).toBe(expected)
  })
})

test.each([
  [['root.pxar.didx', 'index.json.blob'], true],
  [['root.pxar.didx'], false],
  [[], false],
])('finished with %j: %s', (names, expected) => {
  expect(isFinished(snapshot({ files: names.map((filename) => ({ filename })) }))).toBe(expected)
})

test.each([
  ['names and no size', { files: [{ filename: 'drive.img.fidx' }, { filename: 'index.json.blob' }] }, false],
  ['names and nulls', { files: [{ filename: 'index.json.blob', size: null, 'crypt-mode': null }], size: null }, false],
  ['a size', { files: [{ filename: 'index.json.blob' }], size: 5 }, true],
  ['a mode of a file', { files: [{ filename: 'index.json.blob', 'crypt-mode': 'none' }] }, true],
  ['a note', { files: [{ filename: 'index.json.blob' }], comment: 'x' }, true],
  ['a verification', { files: [{ filename: 'index.json.blob' }], verification: { upid: '', state: '' } }, true],
  ['no manifest, which is one that runs', { files: [{ filename: 'drive.img.fidx' }] }, true],
  ['no files', { files: [] }, true],
])('a manifest that PBS could read: %s', (_, facts, expected) => {
  expect(hasReadableManifest(snapshot(facts))).toBe(expected)
})
