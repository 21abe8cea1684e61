import { formatLength } from '../components/format.ts'
import { Time } from '../components/time.tsx'
import type { Presentation } from './presentation.ts'
import { taskWords } from './task-words.ts'
import { placeFields } from './words.tsx'

/** How pages show tasks. */
export const taskPresentation: Presentation<'task'> = {
  columns: ['worker_type', 'server', 'user', 'starttime', 'duration', 'outcome', 'status'],
  title: 'worker_type',
  fields: {
    ...placeFields,
    upid: { head: 'UPID', kind: 'name' },
    worker_type: {
      head: 'Task',
      kind: 'name',
      short: (row) => (
        <span title={`${String(row['worker_type'])} ${String(row['worker_id'] ?? '')}`}>{taskWords(row)}</span>
      ),
    },
    worker_id: { head: 'PBS’s id', kind: 'name' },
    user: { head: 'By', kind: 'name' },
    starttime: { head: 'Started' },
    endtime: { head: 'Ended' },
    duration: {
      head: 'Took',
      short: ({ duration, outcome, starttime }) => {
        if (outcome === 'running' && typeof starttime === 'string')
          return (
            <span class="text-secondary">
              for <Time time={starttime} form="length" />
            </span>
          )
        return typeof duration === 'number' ? <span class="text-nowrap">{formatLength(duration)}</span> : undefined
      },
    },
    // The badge says that it went well; a second word for it says nothing.
    status: {
      head: 'Result',
      kind: 'prose',
      short: ({ status, outcome }) => (outcome === 'ok' ? null : clipped(status)),
    },
  },
  technical: ['upid', 'node', 'worker_type', 'worker_id'],
  filters: ['server', 'worker_type', 'outcome', 'user', 'datastore_name', 'job_id', 'backup_id'],
}

/** Failures of syncs name each group; the page of the task has them all. */
const clipped = (status: unknown) =>
  typeof status === 'string' && status.length > 200 ? (
    <span title={status}>{`${status.slice(0, 200)}…`}</span>
  ) : undefined
