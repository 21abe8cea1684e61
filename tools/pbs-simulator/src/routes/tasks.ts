import { nodeSchema, storeSchema } from '../http/parameters.ts'
import { ownsGroup } from '../permissions/privileges.ts'
import type { Json, TaskState } from '../state/pbs-state.ts'
import { parseUpid, startTimeOf, workerProcess } from '../state/upid.ts'
import { may, optional, type Route, type RouteContext, textOf } from './route.ts'

const STORE_TASKS = /^(?:verif.*|syncjob|prune|prunejob|backup|garbage_collection)$/

const taskRow = (task: TaskState): Json => {
  const { startTime, workerType, workerId, authId } = parseUpid(task.upid)
  return {
    upid: task.upid,
    node: 'localhost',
    ...workerProcess,
    starttime: startTime,
    worker_type: workerType,
    worker_id: workerId === '' ? null : workerId,
    user: authId,
    ...optional('endtime', task.endtime),
    ...optional('status', task.status),
  }
}

/** Running ones first, latest start first; then by end, latest first. */
const byRecency = (left: TaskState, right: TaskState): number => {
  if (left.endtime === null || right.endtime === null)
    return left.endtime === right.endtime
      ? startTimeOf(right.upid) - startTimeOf(left.upid)
      : Number(left.endtime !== null) - Number(right.endtime !== null)
  return right.endtime - left.endtime
}

const statusKind = (status: string): string => {
  if (status === 'OK') return 'ok'
  if (status.startsWith('WARNINGS: ')) return 'warning'
  return status === 'unknown' ? 'unknown' : 'error'
}

const requested = (context: RouteContext, task: TaskState): boolean => {
  const { parameters } = context
  const { startTime, workerType, workerId, authId } = parseUpid(task.upid)
  const [store, statusFilter] = [textOf(context, 'store'), textOf(context, 'statusfilter')]
  const [since, until] = [parameters.get('since'), parameters.get('until')]
  return (
    (parameters.get('running') !== true || task.status === null) &&
    (parameters.get('errors') !== true || task.status !== 'OK') &&
    (statusFilter === '' || (task.status !== null && statusKind(task.status) === statusFilter)) &&
    authId.includes(textOf(context, 'userfilter')) &&
    workerType.includes(textOf(context, 'typefilter')) &&
    (store === '' || (STORE_TASKS.test(workerType) && workerId.split(':').includes(store))) &&
    (typeof since !== 'number' || startTime >= since) &&
    (typeof until !== 'number' || startTime <= until)
  )
}

const listTasks = (context: RouteContext) => {
  const { state, authId, parameters } = context
  const all = may(context, '/system/tasks', 'Sys.Audit')
  const [start, limit] = [Number(parameters.get('start') ?? 0), Number(parameters.get('limit') ?? 50)]
  const rows = state.tasks
    .filter((task) => (all || ownsGroup(authId, parseUpid(task.upid).authId)) && requested(context, task))
    .sort(byRecency)
    .slice(start, limit === 0 ? undefined : start + limit)
    .map(taskRow)
  // The total is a guess, as in PBS: the number of returned rows, and one more when the page is full.
  return { data: rows, siblings: { total: start + rows.length + (rows.length === limit && limit > 0 ? 1 : 0) } }
}

/** The task archive. `statusfilter` takes one value here, where PBS takes several. */
export const taskRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/nodes/{node}/tasks',
    permission: 'authenticated',
    parameters: () => ({
      node: nodeSchema,
      start: { type: 'integer', optional: true, minimum: 0 },
      limit: { type: 'integer', optional: true, minimum: 0 },
      store: { ...storeSchema, optional: true },
      running: { type: 'boolean', optional: true },
      errors: { type: 'boolean', optional: true },
      userfilter: { type: 'string', optional: true },
      typefilter: { type: 'string', optional: true },
      since: { type: 'integer', optional: true },
      until: { type: 'integer', optional: true },
      statusfilter: { type: 'string', optional: true, values: ['ok', 'warning', 'error', 'unknown'] },
    }),
    handle: listTasks,
  },
]
