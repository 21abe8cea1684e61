import type { Model } from './field.ts'
import { count } from './field.ts'

/** A namespace of a datastore; the root is the empty path. Read-only: it follows the source and its snapshots. */
export const namespace = {
  name: 'namespace',
  path: 'namespaces',
  label: 'Namespace',
  labelPlural: 'Namespaces',
  objectType: 'netbox_pbs.pbsnamespace',
  key: ['server', 'datastore_name', 'path'],
  brief: ['path'],
  order: ['server', 'datastore_name', 'path'],
  search: ['path', 'datastore_name', 'server.name'],
  columns: ['path', 'server', 'datastore_name', 'depth', 'group_count', 'snapshot_count', 'last_seen_at'],
  writable: false,
  fields: {
    server: { class: 'key', type: 'reference', model: 'server', label: 'Server', required: true },
    datastore_name: { class: 'key', type: 'text', max: 255, label: 'Datastore name', required: true },
    path: { class: 'key', type: 'text', max: 256, default: '', label: 'Path' },
    depth: { class: 'derived', type: 'integer', min: 0, max: 7, default: 0, label: 'Depth', readOnly: true },
    group_count: { ...count, label: 'Groups' },
    snapshot_count: { ...count, label: 'Snapshots' },
    last_full_at: { class: 'derived', type: 'datetime', nullable: true, label: 'Last full list', readOnly: true },
    last_light_at: { class: 'derived', type: 'datetime', nullable: true, label: 'Last light list', readOnly: true },
    missing_since: { class: 'derived', type: 'datetime', nullable: true, label: 'Missing since', readOnly: true },
    last_seen_at: { class: 'observation', type: 'datetime', nullable: true, label: 'Last seen at', readOnly: true },
  },
} as const satisfies Model
