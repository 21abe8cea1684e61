import { registry, taskSubject } from '@netbox-pbs/core'
import { classifyLastRun, parseUpid } from '@netbox-pbs/pbs-client'
import type { TaskFrame } from '@netbox-pbs/proxbox-client/contract'
import { datetimeOf } from './datetime.ts'
import { storable } from './text.ts'
import { type ColumnsOfFields, unknownColumns, withUnknown } from './unknown-columns.ts'

/** What is read of a row of `/nodes/localhost/tasks`. */
export interface ListedTask {
  readonly upid: string
  readonly starttime: number
  readonly worker_type: string
  readonly worker_id: string | null
  readonly user: string | null
  readonly endtime: number | null
  readonly status: string | null
  readonly oddFields?: ReadonlyArray<string> | undefined
}

const taskColumns: ColumnsOfFields = {
  user: ['user'],
  // What a task works on is read from it.
  worker_id: ['worker_id', 'datastore_name', 'namespace', 'backup_type', 'backup_id', 'job_type', 'job_id'],
}

/** The most characters of a status: an error message of PBS may be a page. */
const maxStatus = 1000

/** A task with what it works on; null when no calendar has its start, or no index its UPID. */
export const taskFrame = (server: string, listed: ListedTask): TaskFrame | null => {
  const starttime = datetimeOf(listed.starttime)
  if (starttime === null || Buffer.byteLength(listed.upid) > registry.task.fields.upid.max) return null
  const { upid, worker_type, worker_id, user, endtime, status } = listed
  const { datastore_name: datastore, ...subject } = taskSubject(worker_type, worker_id)
  const outcome = classifyLastRun({ state: status, upid })
  return {
    frame: 'task',
    server,
    upid: storable(upid),
    node: storable(parseUpid(upid)?.node ?? ''),
    worker_type: storable(worker_type),
    worker_id: storable(worker_id ?? ''),
    user: storable(user ?? ''),
    starttime,
    datastore: storable(datastore),
    namespace: storable(subject.namespace),
    backup_type: storable(subject.backup_type),
    backup_id: storable(subject.backup_id),
    job_type: subject.job_type,
    job_id: storable(subject.job_id),
    ...withUnknown(unknownColumns(listed.oddFields, taskColumns)),
    observed: {
      endtime: datetimeOf(endtime),
      outcome,
      status: storable((status ?? '').slice(0, maxStatus)).trim(),
    },
  }
}
