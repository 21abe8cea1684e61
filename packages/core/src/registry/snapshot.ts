import { backupTypes, verificationPlaces } from '../choices.ts'
import type { Model } from './field.ts'
import { bytes } from './field.ts'

/** One backup of a guest at one time. */
export const snapshot = {
  name: 'snapshot',
  path: 'snapshots',
  label: 'Snapshot',
  labelPlural: 'Snapshots',
  objectType: 'netbox_pbs.pbssnapshot',
  key: ['server', 'datastore_name', 'namespace', 'backup_type', 'backup_id', 'backup_time'],
  brief: ['backup_type', 'backup_id', 'backup_time'],
  order: ['server', 'datastore_name', 'namespace', 'backup_type', 'backup_id', '-backup_time'],
  search: ['backup_id', 'datastore_name', 'namespace', 'owner', 'comment', 'server.name'],
  columns: [
    'backup_type',
    'backup_id',
    'backup_time',
    'server',
    'datastore_name',
    'namespace',
    'size_bytes',
    'verification_state',
    'protected',
    'comment',
  ],
  writable: true,
  fields: {
    server: { class: 'key', type: 'reference', model: 'server', label: 'Server', required: true },
    datastore_name: { class: 'key', type: 'text', max: 255, label: 'Datastore name', required: true },
    namespace: { class: 'key', type: 'text', max: 256, default: '', label: 'Namespace' },
    backup_type: { class: 'key', type: 'choice', choices: backupTypes, label: 'Backup type', required: true },
    backup_id: { class: 'key', type: 'text', max: 255, label: 'Backup id', required: true },
    backup_time: { class: 'key', type: 'datetime', label: 'Backup time', required: true },
    size_bytes: { class: 'immutable', ...bytes, label: 'Size bytes', witness: 'manifest_files' },
    owner: { class: 'source', type: 'text', max: 255, default: '', label: 'Owner' },
    protected: { class: 'source', type: 'boolean', default: false, label: 'Protected' },
    comment: { class: 'source', type: 'text', max: 1024, default: '', label: 'Comment' },
    verification_state: { class: 'source', type: 'text', max: 32, default: '', label: 'Verification state' },
    verification_upid: {
      class: 'source',
      type: 'text',
      max: 512,
      default: '',
      label: 'Verification UPID',
      readOnly: true,
    },
    verification_place: {
      class: 'derived',
      type: 'choice',
      choices: verificationPlaces,
      default: 'unknown',
      label: 'Verification place',
      readOnly: true,
    },
    // When the verification began, as its UPID says.
    verified_at: { class: 'derived', type: 'datetime', nullable: true, label: 'Verified at', readOnly: true },
    // A verification of this place was replaced by one of another place, or by none.
    verification_erased_at: {
      class: 'derived',
      type: 'datetime',
      nullable: true,
      label: 'Verification erased at',
      readOnly: true,
    },
    crypt_mode: { class: 'source', type: 'text', max: 32, default: '', label: 'Crypt mode', readOnly: true },
    // Of the client key that encrypted or signed it; it is needed to read an encrypted one.
    key_fingerprint: { class: 'source', type: 'text', max: 128, default: '', label: 'Key fingerprint', readOnly: true },
    finished: { class: 'source', type: 'boolean', default: true, label: 'Finished', readOnly: true },
    files: { class: 'derived', type: 'json', default: [], label: 'Files', readOnly: true },
    manifest_files: { class: 'immutable', type: 'json', default: [], label: 'Manifest files', internal: true },
    other_files: { class: 'source', type: 'json', default: [], label: 'Other files', internal: true },
    missing_since: { class: 'derived', type: 'datetime', nullable: true, label: 'Missing since', readOnly: true },
    last_seen_at: { class: 'observation', type: 'datetime', nullable: true, label: 'Last seen at' },
  },
} as const satisfies Model
