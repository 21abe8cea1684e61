import { ownTiming, type Run, type Warning } from '@netbox-pbs/core'
import {
  Inventory,
  Queue,
  Runs,
  type ServerRow,
  type SourceServer,
  type StoreFailed,
  type SyncJob,
} from '@netbox-pbs/core/ports'
import { Effect, Stream } from 'effect'

/** The part of a run that servers' jobs are made from. */
export type RunPlan = Pick<Run, 'id' | 'resources' | 'servers' | 'serverIds' | 'scope_filter' | 'trigger'>

/** A user waits for a manual run, so its jobs come before those of a schedule. */
export const priorityOf = ({ trigger }: Pick<Run, 'trigger'>): { readonly urgent: boolean } => ({
  urgent: trigger === 'manual',
})

/**
 * Queues one job for each connected server that the run covers, except those in `queued`, whose
 * jobs of this run are queued already; returns the number of jobs queued. Chosen servers without an
 * endpoint are named in a warning; a schedule skips busy servers, and the settings' schedule also
 * servers with a timing of their own.
 */
export const queueServerJobs = Effect.fn('sync.queueServerJobs')(function* (
  run: RunPlan,
  queued: ReadonlySet<number> = new Set(),
): Effect.fn.Return<number, StoreFailed, Inventory | Queue | Runs> {
  const runs = yield* Runs
  const queue = yield* Queue
  const resources = run.resources.filter((resource) => resource !== 'servers')
  if (resources.length === 0) return 0

  // By id; by name where no server had it when the run was asked for: the list of servers may just have brought it.
  const unmet = new Map(run.servers?.map((name, nth) => [run.serverIds?.[nth] ?? name, name]))
  const warnings: Array<Warning> = []
  const ids: Array<number> = []
  yield* Stream.runForEach((yield* Inventory).servers(), ({ id, facts: { name, endpoint_state }, timing }) =>
    Effect.gen(function* () {
      if (
        run.servers === null
          ? run.trigger === 'schedule' && ownTiming(timing) !== null
          : !(unmet.delete(id) || unmet.delete(name))
      )
        return
      if (endpoint_state !== 'connected') {
        if (run.servers !== null) warnings.push(notConnected(name, endpoint_state))
      } else if (queued.has(id)) {
        return
      } else if (run.trigger === 'schedule' && (yield* isBusyElsewhere(run, id))) {
        warnings.push(busy(name))
      } else {
        ids.push(id)
      }
    }),
  )
  for (const name of unmet.values()) warnings.push(unknown(name))
  if (warnings.length > 0) yield* runs.warn({ id: run.id, warnings })
  if (ids.length > 0) yield* runs.expectJobs({ id: run.id, serverIds: ids })
  for (const [index, id] of ids.entries()) {
    yield* queue.enqueue(jobOf(run, id), priorityOf(run)).pipe(
      // A job that is not in the queue would never end.
      Effect.tapError(({ message }) =>
        Effect.forEach(ids.slice(index), (left) =>
          Effect.ignore(runs.endJob({ id: run.id, serverId: left, error: message })),
        ),
      ),
    )
  }
  return ids.length
})

const jobOf = (run: RunPlan, serverId: number): SyncJob => {
  const resources = run.resources.filter((resource) => resource !== 'servers')
  return { runId: run.id, serverId, resources, scope_filter: run.scope_filter }
}

/** Whether a server has a job of another run to do. */
const isBusyElsewhere = (run: RunPlan, serverId: number): Effect.Effect<boolean, StoreFailed, Queue> =>
  Effect.gen(function* () {
    const queue = yield* Queue
    if (!(yield* queue.busy({ serverId }))) return false
    return (yield* queue.missing([{ runId: run.id, serverId }])).length > 0
  })

/**
 * Queues the job of a server as soon as it has answered, so that it does not wait for the others of
 * the list; returns the server's id, or null if no job was queued. Servers that are not connected
 * under this name, and those that the schedule skips, are left to the end of the list.
 */
export const queueAnswered = Effect.fn('sync.queueAnswered')(function* (
  run: RunPlan,
  { name, endpoint_id }: Pick<SourceServer, 'name' | 'endpoint_id'>,
  known: ReadonlyMap<string, ServerRow>,
): Effect.fn.Return<number | null, StoreFailed, Queue | Runs> {
  const row = known.get(name)
  if (row === undefined || row.facts.endpoint_id !== endpoint_id || row.facts.endpoint_state !== 'connected')
    return null
  if (
    run.servers === null
      ? run.trigger === 'schedule' && ownTiming(row.timing) !== null
      : !run.serverIds?.includes(row.id)
  )
    return null
  if (run.trigger === 'schedule' && (yield* isBusyElsewhere(run, row.id))) return null
  const job = jobOf(run, row.id)
  if (job.resources.length === 0) return null
  yield* (yield* Runs).expectJobs({ id: run.id, serverIds: [row.id] })
  yield* (yield* Queue).enqueue(job, priorityOf(run))
  return row.id
})

const warning = (code: string, message: string): Warning => ({ scope: null, code, message, count: 1 })

const unknown = (name: string): Warning =>
  warning('server_unknown', `${name} is not in the inventory, nothing of it was synced: check its name`)

const notConnected = (name: string, state: string): Warning =>
  state === 'pending'
    ? warning('server_pending', `${name} is being connected, nothing of it was synced: run again when that is done`)
    : warning(
        'server_not_connected',
        `${name} is inventory only, nothing of it was synced: give it a token_secret, or enable its endpoint at the gateway`,
      )

const busy = (name: string): Warning =>
  warning('server_busy', `${name} was still busy with an earlier run, so this one skipped it`)
