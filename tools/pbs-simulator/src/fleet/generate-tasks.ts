import type { PbsState, TaskState, VerifyRun } from '../state/pbs-state.ts'
import { newestOf } from '../state/series.ts'
import { formatUpid } from '../state/upid.ts'

/** Backup tasks kept per server; more than a default page of the task list. */
const BACKUPS = 80

const backupTasks = (state: PbsState): TaskState[] => {
  const tasks: TaskState[] = []
  for (const { name, namespaces } of state.datastores)
    for (const { groups } of namespaces)
      for (const group of groups) {
        const newest = newestOf(group)
        if (newest === undefined) continue
        if (tasks.length === BACKUPS) return tasks
        const upid = formatUpid({
          node: state.name,
          taskId: 0x400 + tasks.length,
          startTime: newest.backupTime,
          workerType: 'backup',
          workerId: `${name}:${group.backupType}/${group.backupId}`,
          authId: group.owner,
        })
        const running = newest.files.every(({ filename }) => filename !== 'index.json.blob')
        tasks.push({
          upid,
          status: running ? null : 'OK',
          endtime: running ? null : Math.min(state.now, newest.backupTime + 195),
        })
      }
  return tasks
}

const jobTasks = ({ jobs }: PbsState): TaskState[] =>
  [...jobs.verify, ...jobs.prune, ...jobs.sync, ...jobs.tape].flatMap(({ lastRun }) =>
    lastRun === null ? [] : [{ upid: lastRun.upid, status: lastRun.state, endtime: lastRun.endtime }],
  )

/** The task archive that fits a generated server: job runs, verifications, backups, and one without a worker id. */
export const generateTasks = (state: PbsState, verifyRuns: readonly VerifyRun[]): TaskState[] => {
  const aptUpdate = formatUpid({
    node: state.name,
    taskId: 1,
    startTime: state.now - 5 * 3600,
    workerType: 'aptupdate',
    workerId: '',
    authId: 'root@pam',
  })
  return [
    ...verifyRuns.map(({ upid, startTime }) => ({ upid, status: 'OK', endtime: startTime + 3600 })),
    ...backupTasks(state),
    ...jobTasks(state),
    { upid: aptUpdate, status: 'OK', endtime: state.now - 5 * 3600 + 4 },
  ]
}
