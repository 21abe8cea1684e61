import type { Retained } from '@netbox-pbs/core'
import { Retention } from '@netbox-pbs/core/ports'
import { Effect, Layer, Option } from 'effect'

/** Old records in memory: the moments they are from, in milliseconds. Two go at a time. */
export class MemoryRetention {
  readonly records: Record<Retained, Array<number>> = {
    changes: [],
    runs: [],
    costs: [],
    tasks: [],
    deliveries: [],
    detached: [],
    findings: [],
  }
  /** The removed records and their number, in order. */
  readonly parts: Array<string> = []
  turn = 0
  /** How often staged rows were cleared. */
  cleared = 0
  /** How often statistics were refreshed. */
  refreshed = 0
  due = 0
  heldUntil: number | null = null
  /** Happens with each part. */
  onPart: Effect.Effect<void> = Effect.void

  readonly layer = Layer.succeed(Retention, {
    prune: ({ what, before }) =>
      Effect.zipRight(
        this.onPart,
        Effect.sync(() => {
          const old = this.records[what].filter((at) => at < Date.parse(before)).slice(0, 2)
          this.records[what] = this.records[what].filter((at) => !old.includes(at))
          this.parts.push(`${what} ${old.length}`)
          return { removed: old.length, more: old.length === 2 }
        }),
      ),
    clearStaged: () =>
      Effect.sync(() => {
        this.cleared += 1
      }),
    refreshStatistics: () =>
      Effect.sync(() => {
        this.refreshed += 1
      }),
    takeTurn: ({ now, until, latest }) =>
      Effect.sync(() => {
        const at = Date.parse(now)
        const waits = (mark: number) => at < mark && mark <= Date.parse(latest)
        if (waits(this.due) || (this.heldUntil !== null && waits(this.heldUntil))) return Option.none()
        this.heldUntil = Date.parse(until)
        this.turn += 1
        return Option.some(this.turn)
      }),
    keepTurn: ({ turn, until }) =>
      Effect.sync(() => {
        if (turn !== this.turn) return false
        this.heldUntil = Date.parse(until)
        return true
      }),
    endTurn: ({ turn, due }) =>
      Effect.sync(() => {
        if (turn !== this.turn) return
        this.heldUntil = null
        this.due = Date.parse(due)
      }),
  })
}
