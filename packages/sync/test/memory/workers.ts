import { formatTimestamp } from '@netbox-pbs/core'
import { Workers } from '@netbox-pbs/core/ports'
import { Clock, Effect, Layer } from 'effect'

/** Milliseconds for which a heartbeat holds, also one of a clock that was ahead. */
const holdsMillis = 60_000

/** `Workers` in memory. */
export class MemoryWorkers {
  readonly #workers = new Map<string, { at: number; stopped: boolean }>()

  /** Makes the last heartbeat of each worker so many seconds older. */
  age(seconds: number): void {
    for (const worker of this.#workers.values()) worker.at -= seconds * 1000
  }

  readonly layer = Layer.succeed(Workers, {
    heartbeat: ({ id }) => this.#beat(id, false),
    stopped: ({ id }) => this.#beat(id, true),
    state: () =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const all = [...this.#workers.values()]
        const running = all.filter(({ at, stopped }) => !stopped && Math.abs(now - at) <= holdsMillis).length
        const last = all.length === 0 ? null : Math.min(now, Math.max(...all.map(({ at }) => at)))
        return { running, lastHeartbeat: last === null ? null : formatTimestamp(last) }
      }),
  })

  #beat(id: string, stopped: boolean): Effect.Effect<void> {
    return Effect.map(Clock.currentTimeMillis, (at) => void this.#workers.set(id, { at, stopped }))
  }
}
