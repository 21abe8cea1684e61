import { describe, expect, test } from 'vitest'
import { type ListedSnapshot, snapshotOf } from './snapshot.ts'

const finished: ListedSnapshot = {
  'backup-type': 'vm',
  'backup-id': '101',
  'backup-time': 1780088404,
  comment: 'web01',
  verification: { upid: 'UPID:x', state: 'ok' },
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
    expect(snapshotOf(finished)).toEqual({
      backup_time: '2026-05-29T21:00:04Z',
      size_bytes: 34359739356,
      owner: 'backup@pbs!pve',
      protected: true,
      comment: 'web01',
      verification_state: 'ok',
      verification_upid: 'UPID:x',
      crypt_mode: 'encrypt',
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
    const running: ListedSnapshot = {
      'backup-type': 'ct',
      'backup-id': '205',
      'backup-time': 1780351800,
      files: [{ filename: 'root.pxar.didx' }, { filename: 'catalog.pcat1.didx' }],
      owner: 'backup@pbs!pve',
      protected: false,
      size: null,
    }
    expect(snapshotOf(running)).toEqual({
      backup_time: '2026-06-01T22:10:00Z',
      size_bytes: null,
      owner: 'backup@pbs!pve',
      protected: false,
      comment: '',
      verification_state: '',
      verification_upid: '',
      crypt_mode: '',
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
    expect(snapshotOf({ ...finished, files: [...files, manifest] })?.crypt_mode).toBe(expected)
  })

  test('whose size was beyond 2^53-1 keeps its files', () => {
    const files = [
      { filename: 'a.fidx', size: null, 'crypt-mode': 'none' },
      { filename: 'index.json.blob', size: 1 },
    ]
    expect(snapshotOf({ ...finished, size: null, files })).toMatchObject({
      size_bytes: null,
      finished: true,
      manifest_files: [{ filename: 'a.fidx', size: null, crypt_mode: 'none' }],
    })
  })
})
