import type { GroupState, SnapshotFile, SnapshotState, VerifyRun } from '../state/pbs-state.ts'
import { emptyGroup } from './empty-state.ts'

const DAY = 86_400

/** A finished, unencrypted virtual machine snapshot; override any field. */
export const finishedSnapshot = (backupTime: number, fields: Partial<SnapshotState> = {}): SnapshotState => ({
  backupTime,
  files: [
    { filename: 'qemu-server.conf.blob', 'crypt-mode': 'none', size: 428 },
    { filename: 'drive-scsi0.img.fidx', 'crypt-mode': 'none', size: 34_359_738_368 },
    { filename: 'index.json.blob', 'crypt-mode': 'none', size: 560 },
    { filename: 'client.log.blob' },
  ],
  protected: false,
  notes: null,
  verification: null,
  fingerprint: null,
  ...fields,
})

/** A snapshot that is still being written, or was left behind by a backup that died. */
export const unfinishedSnapshot = (backupTime: number): SnapshotState => ({
  ...finishedSnapshot(backupTime),
  files: [{ filename: 'drive-scsi0.img.fidx' }],
})

const encryptedFiles = (configMode: string, imageMode: string): SnapshotFile[] => [
  { filename: 'qemu-server.conf.blob', 'crypt-mode': configMode, size: 431 },
  { filename: 'drive-scsi0.img.fidx', 'crypt-mode': imageMode, size: 8_589_934_592 },
  { filename: 'index.json.blob', 'crypt-mode': 'sign-only', size: 601 },
]

/** Guests that show every shape a row can have; ids from 900 on. */
export const specialGroups = (now: number, verifyRuns: readonly VerifyRun[], fingerprint: string): GroupState[] => {
  const upid = verifyRuns.at(-1)?.upid ?? ''
  const key = { fingerprint }
  const daysAgo = (days: number) => now - days * DAY - 1234
  return [
    emptyGroup('host', 'never-backed-up', { notes: '' }),
    emptyGroup('ct', '900', { snapshots: [unfinishedSnapshot(now - 900)] }),
    emptyGroup('vm', '901', {
      notes: 'erp\nmoved from the old cluster',
      snapshots: [finishedSnapshot(daysAgo(2)), finishedSnapshot(daysAgo(1)), unfinishedSnapshot(now - 300)],
    }),
    emptyGroup('vm', '902', {
      notes: 'Bücher ☕',
      snapshots: [
        finishedSnapshot(daysAgo(4), { notes: 'Bücher ☕ 图书' }),
        finishedSnapshot(daysAgo(3), { notes: 'before the upgrade\nkeep until spring', protected: true }),
        finishedSnapshot(daysAgo(2), { notes: '' }),
        finishedSnapshot(daysAgo(1)),
      ],
    }),
    emptyGroup('vm', '903', {
      snapshots: [finishedSnapshot(daysAgo(1), { ...key, files: encryptedFiles('encrypt', 'encrypt') })],
    }),
    emptyGroup('vm', '904', {
      snapshots: [finishedSnapshot(daysAgo(1), { ...key, files: encryptedFiles('sign-only', 'sign-only') })],
    }),
    emptyGroup('vm', '905', {
      snapshots: [finishedSnapshot(daysAgo(1), { ...key, files: encryptedFiles('none', 'encrypt') })],
    }),
    emptyGroup('vm', '906', {
      snapshots: [
        finishedSnapshot(daysAgo(3), { verification: { upid, state: 'ok' } }),
        finishedSnapshot(daysAgo(2), { verification: { upid, state: 'failed' } }),
        finishedSnapshot(daysAgo(1)),
      ],
    }),
    emptyGroup('vm', '907', { ownerReadable: false, snapshots: [finishedSnapshot(daysAgo(1))] }),
  ]
}
