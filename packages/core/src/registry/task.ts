import { jobStates } from '../choices.ts'
import type { Model } from './field.ts'

/**
 * One task of a server: a backup, a restore, the run of a job, an update. It is read-only, and a
 * list without it does not remove it: only its end is added later, once.
 */
export const task = {
  name: 'task',
  path: 'tasks',
  label: 'Task',
  labelPlural: 'Tasks',
  objectType: 'netbox_pbs.pbstask',
  key: ['server', 'upid'],
  brief: ['upid', 'worker_type', 'starttime'],
  order: ['-starttime'],
  search: ['worker_id', 'user', 'status', 'server.name'],
  columns: ['worker_type', 'worker_id', 'server', 'user', 'starttime', 'duration', 'outcome', 'status'],
  writable: false,
  fields: {
    server: { class: 'key', type: 'reference', model: 'server', label: 'Server', required: true },
    upid: { class: 'key', type: 'text', max: 2000, label: 'UPID', required: true },
    node: { class: 'immutable', type: 'text', max: 255, default: '', label: 'Node', readOnly: true },
    worker_type: {
      class: 'immutable',
      type: 'text',
      max: 64,
      label: 'Worker type',
      required: true,
      readOnly: true,
    },
    worker_id: { class: 'immutable', type: 'text', max: 2000, default: '', label: 'Worker id', readOnly: true },
    user: { class: 'immutable', type: 'text', max: 255, default: '', label: 'User', readOnly: true },
    starttime: { class: 'immutable', type: 'datetime', label: 'Start time', required: true, readOnly: true },
    endtime: { class: 'observation', type: 'datetime', nullable: true, label: 'End time', readOnly: true },
    duration: {
      class: 'derived',
      type: 'integer',
      min: 0,
      max: Number.MAX_SAFE_INTEGER,
      nullable: true,
      unit: 'seconds',
      label: 'Duration',
      readOnly: true,
    },
    outcome: {
      class: 'observation',
      type: 'choice',
      choices: jobStates,
      default: 'unknown',
      label: 'Outcome',
      readOnly: true,
    },
    status: { class: 'observation', type: 'text', max: 1024, default: '', label: 'Status', readOnly: true },
    datastore_name: {
      class: 'immutable',
      type: 'text',
      max: 255,
      default: '',
      label: 'Datastore name',
      readOnly: true,
    },
    namespace: { class: 'immutable', type: 'text', max: 256, default: '', label: 'Namespace', readOnly: true },
    backup_type: { class: 'immutable', type: 'text', max: 64, default: '', label: 'Backup type', readOnly: true },
    backup_id: { class: 'immutable', type: 'text', max: 255, default: '', label: 'Backup id', readOnly: true },
    job_type: { class: 'immutable', type: 'text', max: 64, default: '', label: 'Job type', readOnly: true },
    job_id: { class: 'immutable', type: 'text', max: 255, default: '', label: 'Job id', readOnly: true },
  },
} as const satisfies Model
