import { forecastKinds, gcStatuses } from '../choices.ts'
import type { Model } from './field.ts'
import { bytes } from './field.ts'

/** A whole number that may be unknown. */
const days = { type: 'integer', min: 0, max: 365, nullable: true, readOnly: true } as const

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
    // Of the last garbage collection that succeeded, and when it began.
    gc_index_bytes: { class: 'observation', ...bytes, label: 'GC index bytes', readOnly: true },
    gc_disk_bytes: { class: 'observation', ...bytes, label: 'GC disk bytes', readOnly: true },
    gc_removed_bytes: { class: 'observation', ...bytes, label: 'GC removed bytes', readOnly: true },
    gc_pending_bytes: { class: 'observation', ...bytes, label: 'GC pending bytes', readOnly: true },
    gc_bad_chunks: {
      class: 'observation',
      type: 'integer',
      min: 0,
      max: Number.MAX_SAFE_INTEGER,
      nullable: true,
      label: 'GC bad chunks',
      readOnly: true,
    },
    last_gc_at: { class: 'observation', type: 'datetime', nullable: true, label: 'Last GC at', readOnly: true },
    // The end of the last one, whatever its end; PBS tells it since 3.2.
    last_gc_end: { class: 'observation', type: 'datetime', nullable: true, label: 'Last GC end', readOnly: true },
    dedup_percent: { class: 'derived', ...days, max: Number.MAX_SAFE_INTEGER, label: 'Dedup percent' },
    forecast: {
      class: 'derived',
      type: 'choice',
      choices: forecastKinds,
      default: 'unknown',
      label: 'Forecast',
      readOnly: true,
    },
    growth_per_day: {
      class: 'derived',
      type: 'integer',
      min: Number.MIN_SAFE_INTEGER,
      max: Number.MAX_SAFE_INTEGER,
      nullable: true,
      label: 'Growth per day',
      unit: 'bytes',
      readOnly: true,
    },
    days_until_full: { class: 'derived', ...days, label: 'Days until full' },
    days_until_full_soonest: { class: 'derived', ...days, label: 'Days until full, soonest' },
    days_until_full_latest: { class: 'derived', ...days, label: 'Days until full, latest' },
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
