import { ownTiming, type Run, type Warning } from '@netbox-pbs/core'
import { Inventory, Queue, Runs, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Stream } from 'effect'

/** The part of a run that servers' jobs are made from. */
export type RunPlan = Pick<Run, 'id' | 'resources' | 'servers' | 'narrowing' | 'trigger'>

/** Whoever asks by hand waits for it: the jobs of a schedule can be taken later. */
export const howUrgent = ({ trigger }: Pick<Run, 'trigger'>): { readonly urgent: boolean } => ({
  urgent: trigger === 'manual',
})

/**
 * Queues one job for each server that the run covers and that has an endpoint. Of chosen servers, those without one are named in a warning. A
 * schedule passes over servers that are busy, and that of the settings over servers with a timing of their own. Gives the number of jobs queued.
 */
export const queueServerJobs = Effect.fn('sync.queueServerJobs')(function* (
  run: RunPlan,
): Effect.fn.Return<number, StoreFailed, Inventory | Queue | Runs> {
  const runs = yield* Runs
  const queue = yield* Queue
  const resources = run.resources.filter((resource) => resource !== 'servers')
  if (resources.length === 0) return 0

  const unnamed = new Set(run.servers)
  const warnings: Array<Warning> = []
  const names: Array<string> = []
  yield* Stream.runForEach((yield* Inventory).servers(), ({ facts: { name, endpoint_state }, timing }) =>
    Effect.gen(function* () {
      if (run.servers === null ? run.trigger === 'schedule' && ownTiming(timing) !== null : !unnamed.delete(name))
        return
      if (endpoint_state !== 'connected') {
        if (run.servers !== null) warnings.push(notConnected(name, endpoint_state))
      } else if (run.trigger === 'schedule' && (yield* queue.busy({ server: name }))) {
        warnings.push(busy(name))
      } else {
        names.push(name)
      }
    }),
  )
  for (const name of unnamed) warnings.push(unknown(name))
  if (warnings.length > 0) yield* runs.warn({ id: run.id, warnings })
  if (names.length > 0) yield* runs.expectJobs({ id: run.id, servers: names })
  for (const [index, server] of names.entries()) {
    yield* queue
      .enqueue({ runId: run.id, server, resources, servers: run.servers, narrowing: run.narrowing }, howUrgent(run))
      .pipe(
        // A job that is not in the queue will never end by itself.
        Effect.tapError(({ message }) =>
          Effect.forEach(names.slice(index), (left) =>
            Effect.ignore(runs.endJob({ id: run.id, server: left, error: message })),
          ),
        ),
      )
  }
  return names.length
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
  warning('server_busy', `${name} was still busy with an earlier run, this one passed over it`)
