import { choiceFor, registry } from '@netbox-pbs/core'
import { Badge } from '../components/badge.tsx'
import { formatTime } from '../components/format.ts'
import { Time } from '../components/time.tsx'
import type { Presentation } from './presentation.ts'
import { jobType, placeFields } from './words.tsx'

/** How pages show jobs. */
export const jobPresentation: Presentation<'job'> = {
  columns: ['job_type', 'job_id', 'server', 'store', 'schedule', 'health', 'last_run_endtime', 'next_run'],
  title: 'job_id',
  fields: {
    server: placeFields.server,
    namespace: placeFields.namespace,
    job_type: { head: 'Type', short: jobType },
    job_id: { head: 'Id', kind: 'name' },
    store: { head: 'Datastore', kind: 'name' },
    schedule: { kind: 'name' },
    comment: { kind: 'text' },
    disable: { head: 'Off' },
    last_run_state: { head: 'Last result' },
    last_run_error: { kind: 'prose' },
    last_run_endtime: { head: 'Last run' },
    first_error: { kind: 'prose' },
    last_seen_at: { head: 'Seen' },
    health: {
      kind: 'prose',
      cell: ({ health, health_since: since, missed_runs: missed, failed_runs: failed, first_error: error }) => {
        if (typeof since !== 'string' || (health !== 'missed' && health !== 'failing')) return undefined
        const { label, color } = choiceFor(registry.job.fields.health.choices, health)
        const time = formatTime(since)
        const due = missed === 1 ? `at ${time}` : `${missed === null ? '' : `${String(missed)} times `}since ${time}`
        const runs = failed === 1 ? `The run of ${time}` : `The last ${String(failed)} runs since ${time}`
        const title =
          health === 'missed' ? `It was due ${due}, and has not started` : `${runs} failed: ${String(error)}`
        return (
          <span title={title}>
            <Badge color={color} label={label} title={title} /> {health === 'missed' ? 'due ' : 'for '}
            <Time time={since} form={health === 'missed' ? 'age' : 'length'} />
          </span>
        )
      },
    },
    next_run: {
      // A run that was missed has its time in the column of its health, and a job that is off has none.
      short: ({ health, next_run: next, disable }) =>
        health === 'off' || disable === true || (health === 'missed' && typeof next === 'string') ? null : undefined,
    },
  },
  technical: ['last_seen_at', 'missing_since'],
  filters: ['server', 'job_type', 'health', 'store', 'last_run_state', 'disable'],
}
