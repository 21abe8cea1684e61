import type { Run } from '@netbox-pbs/core'
import { Workers, type WorkersState } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'

/** Why nothing is synced, as a sentence without its stop; null: a worker runs. */
export function workerNotice({ running, lastHeartbeat }: WorkersState): string | null {
  if (running > 0) return null
  const since = lastHeartbeat === null ? 'No worker has started yet' : `No worker has run since ${lastHeartbeat}`
  return `${since}: runs wait until one starts (start:worker)`
}

/** Since when a run waits because no worker runs, RFC 3339; null: it does not. */
export const waitsForWorkerSince = (run: Pick<Run, 'completed' | 'created'>) =>
  Effect.gen(function* () {
    if (run.completed !== null) return null
    const { running, lastHeartbeat } = yield* (yield* Workers).state()
    if (running > 0) return null
    return lastHeartbeat === null || Date.parse(lastHeartbeat) < Date.parse(run.created) ? run.created : lastHeartbeat
  })
