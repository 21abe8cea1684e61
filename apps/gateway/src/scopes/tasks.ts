import { registry, taskSubject } from '@netbox-pbs/core'
import { isReadable, type PbsTask, parseUpid } from '@netbox-pbs/pbs-client'
import type { SyncRequest, TaskFrame } from '@netbox-pbs/proxbox-client/contract'
import { Effect, Stream } from 'effect'
import {
  type ColumnsOfFields,
  datetimeOf,
  lastRunState,
  runText,
  storable,
  unknownColumns,
  withUnknown,
} from './facts.ts'
import { fieldNotes, leftOut, type Note, unreadableNote } from './note.ts'
import { type Line, type Listing, openScope } from './open-scope.ts'
import type { ServerSession } from './server-session.ts'

/**
 * The tasks of a server as the lines of their scope. `since` (epoch seconds) lists only those that
 * started then or later: unlike other filters it shortens a list, since a list of tasks never says
 * that one is gone.
 */
export const tasksScopes = (session: ServerSession, { since }: Pick<SyncRequest, 'since'>): Stream.Stream<Line> =>
  Stream.unwrap(
    openScope(session, { resource: 'tasks', server: session.endpoint.name }, Effect.succeed(listTasks(session, since))),
  )

/** Tasks come in the order of PBS and are never all in memory. Their visibility hangs on no path. */
const listTasks = ({ endpoint, pbs }: ServerSession, since: number | undefined): Listing<TaskFrame> => ({
  items: Stream.mapConcat(pbs.tasks(since), (row): ReadonlyArray<TaskFrame | Note> => {
    if (!isReadable(row)) return [unreadableNote('task', row)]
    const frame = taskFrame(endpoint.name, row)
    const title = `task ${row.upid.slice(0, 255)}`
    return frame === null
      ? [leftOut(title, 'its start is no calendar date, or its UPID is too long')]
      : [...fieldNotes(title, row), frame]
  }),
})

const taskColumns: ColumnsOfFields = {
  user: ['user'],
  // The subject of a task is read from it.
  worker_id: ['worker_id', 'datastore_name', 'namespace', 'backup_type', 'backup_id', 'job_type', 'job_id'],
}

/** A task with its subject; null when no calendar has its start, or no index its UPID. */
export const taskFrame = (server: string, task: PbsTask): TaskFrame | null => {
  const starttime = datetimeOf(task.starttime)
  if (starttime === null || Buffer.byteLength(task.upid) > registry.task.fields.upid.max) return null
  const { upid, worker_type, worker_id, user, endtime, status } = task
  const subject = taskSubject(worker_type, worker_id)
  return {
    frame: 'task',
    server,
    upid: storable(upid),
    node: storable(parseUpid(upid)?.node ?? ''),
    worker_type: storable(worker_type),
    worker_id: storable(worker_id ?? ''),
    user: storable(user ?? ''),
    starttime,
    datastore_name: storable(subject.datastore_name),
    namespace: storable(subject.namespace),
    backup_type: storable(subject.backup_type),
    backup_id: storable(subject.backup_id),
    job_type: subject.job_type,
    job_id: storable(subject.job_id),
    ...withUnknown(unknownColumns(task.oddFields, taskColumns)),
    observed: {
      endtime: datetimeOf(endtime),
      outcome: lastRunState(status, upid),
      status: runText(status),
    },
  }
}
