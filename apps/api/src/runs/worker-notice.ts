import type { Run } from '@netbox-pbs/core'
import { Workers, type WorkersState } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'

/** Why nothing is synced, as a sentence without its stop; null: a worker runs. */
export function workerNotice({ running, lastHeard }: WorkersState): string | null {
  if (running > 0) return null
  const since =
    lastHeard === null ? 'No worker has been heard of yet' : `No worker has been heard of since ${lastHeard}`
  return `${since}: runs wait until one starts (start:worker)`
}

/** Since when a run waits because no worker runs, RFC 3339; null: it does not. */
export const waitsForWorkerSince = (run: Pick<Run, 'completed' | 'created'>) =>
  Effect.gen(function* () {
    if (run.completed !== null) return null
    const { running, lastHeard } = yield* (yield* Workers).state()
    if (running > 0) return null
    return lastHeard === null || Date.parse(lastHeard) < Date.parse(run.created) ? run.created : lastHeard
  })
