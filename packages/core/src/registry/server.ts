import { endpointStates, serverStatuses } from '../choices.ts'
import type { Model } from './field.ts'

/** A Proxmox Backup Server. Known by name; never vanishes by sync. */
export const server = {
  name: 'server',
  path: 'servers',
  label: 'Server',
  labelPlural: 'Servers',
  objectType: 'netbox_pbs.pbsserver',
  key: ['name'],
  brief: ['name'],
  order: ['name'],
  search: ['name', 'host', 'version', 'fingerprint'],
  columns: ['name', 'host', 'status', 'version', 'endpoint_state', 'last_seen_at'],
  writable: true,
  fields: {
    name: { class: 'key', type: 'text', max: 255, label: 'Name', required: true },
    host: { class: 'source', type: 'text', max: 255, label: 'Host', required: true },
    port: { class: 'source', type: 'integer', min: 1, max: 65535, default: 8007, label: 'Port' },
    token_id: { class: 'source', type: 'text', max: 255, label: 'Token id', required: true },
    fingerprint: { class: 'source', type: 'text', max: 200, default: '', label: 'Fingerprint' },
    verify_ssl: { class: 'source', type: 'boolean', default: true, label: 'Verify SSL' },
    status: { class: 'observation', type: 'choice', choices: serverStatuses, default: 'unknown', label: 'Status' },
    version: { class: 'source', type: 'text', max: 64, default: '', label: 'Version' },
    timezone: { class: 'source', type: 'text', max: 64, default: '', label: 'Time zone', readOnly: true },
    endpoint_id: {
      class: 'source',
      type: 'integer',
      min: 1,
      max: 2147483647,
      nullable: true,
      label: 'Endpoint',
      readOnly: true,
    },
    endpoint_state: {
      class: 'source',
      type: 'choice',
      choices: endpointStates,
      default: 'none',
      label: 'Endpoint state',
      readOnly: true,
    },
    last_seen_at: { class: 'observation', type: 'datetime', nullable: true, label: 'Last seen at' },
  },
} as const satisfies Model
