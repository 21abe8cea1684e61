import { gcStatuses } from '../choices.ts'
import type { Model } from './field.ts'
import { bytes } from './field.ts'

/** A datastore of a server. */
export const datastore = {
  name: 'datastore',
  path: 'datastores',
  label: 'Datastore',
  labelPlural: 'Datastores',
  objectType: 'netbox_pbs.pbsdatastore',
  key: ['server', 'name'],
  brief: ['name'],
  order: ['server', 'name'],
  search: ['name', 'path', 'comment', 'server.name'],
  columns: ['name', 'server', 'used_bytes', 'total_bytes', 'gc_status', 'maintenance', 'comment', 'last_seen_at'],
  writable: true,
  fields: {
    server: { class: 'key', type: 'reference', model: 'server', label: 'Server', required: true },
    name: { class: 'key', type: 'text', max: 255, label: 'Name', required: true },
    path: { class: 'source', type: 'text', max: 1024, label: 'Path', required: true },
    used_bytes: { class: 'observation', ...bytes, label: 'Used bytes' },
    total_bytes: { class: 'observation', ...bytes, label: 'Total bytes' },
    avail_bytes: { class: 'observation', ...bytes, label: 'Avail bytes' },
    // A list that lacks the sizes leaves the last ones; from then on this is older than `last_seen_at`.
    usage_at: { class: 'derived', type: 'datetime', nullable: true, label: 'Usage as of', readOnly: true },
    gc_status: { class: 'observation', type: 'choice', choices: gcStatuses, default: 'unknown', label: 'GC status' },
    comment: { class: 'source', type: 'text', max: 1024, default: '', label: 'Comment' },
    maintenance: { class: 'source', type: 'text', max: 255, default: '', label: 'Maintenance', readOnly: true },
    mount_status: { class: 'source', type: 'text', max: 64, default: '', label: 'Mount status', readOnly: true },
    backend_type: { class: 'source', type: 'text', max: 64, default: '', label: 'Backend type', readOnly: true },
    estimated_full_at: {
      class: 'observation',
      type: 'datetime',
      nullable: true,
      label: 'Estimated full at',
      readOnly: true,
    },
    missing_since: { class: 'derived', type: 'datetime', nullable: true, label: 'Missing since', readOnly: true },
    last_seen_at: { class: 'observation', type: 'datetime', nullable: true, label: 'Last seen at' },
  },
} as const satisfies Model
