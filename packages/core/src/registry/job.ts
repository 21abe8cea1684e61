import { jobStates, jobTypes } from '../choices.ts'
import type { Model } from './field.ts'

/** A verify, prune, gc, sync or tape job. A gc job's `job_id` is its store. */
export const job = {
  name: 'job',
  path: 'jobs',
  label: 'Job',
  labelPlural: 'Jobs',
  objectType: 'netbox_pbs.pbsjob',
  key: ['server', 'job_type', 'job_id'],
  brief: ['job_type', 'job_id'],
  order: ['server', 'job_type', 'job_id'],
  search: ['job_id', 'store', 'schedule', 'comment', 'server.name'],
  columns: ['job_type', 'job_id', 'server', 'store', 'schedule', 'last_run_state', 'last_run_endtime', 'next_run'],
  writable: true,
  fields: {
    server: { class: 'key', type: 'reference', model: 'server', label: 'Server', required: true },
    job_type: { class: 'key', type: 'choice', choices: jobTypes, label: 'Job type', required: true },
    job_id: { class: 'key', type: 'text', max: 255, label: 'Job id', required: true },
    store: { class: 'source', type: 'text', max: 255, default: '', label: 'Store' },
    namespace: { class: 'source', type: 'text', max: 256, default: '', label: 'Namespace', readOnly: true },
    remote: { class: 'source', type: 'text', max: 255, default: '', label: 'Remote', readOnly: true },
    schedule: { class: 'source', type: 'text', max: 255, default: '', label: 'Schedule' },
    comment: { class: 'source', type: 'text', max: 1024, default: '', label: 'Comment' },
    disable: { class: 'source', type: 'boolean', default: false, label: 'Disable' },
    options: { class: 'source', type: 'json', default: {}, label: 'Options', readOnly: true },
    last_run_state: {
      class: 'observation',
      type: 'choice',
      choices: jobStates,
      default: 'unknown',
      label: 'Last run state',
    },
    last_run_error: {
      class: 'observation',
      type: 'text',
      max: 1024,
      default: '',
      label: 'Last run error',
      readOnly: true,
    },
    last_run_endtime: { class: 'observation', type: 'datetime', nullable: true, label: 'Last run endtime' },
    next_run: { class: 'observation', type: 'datetime', nullable: true, label: 'Next run' },
    missing_since: { class: 'derived', type: 'datetime', nullable: true, label: 'Missing since', readOnly: true },
    last_seen_at: { class: 'observation', type: 'datetime', nullable: true, label: 'Last seen at' },
  },
} as const satisfies Model
