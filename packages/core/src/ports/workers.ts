import { Context, type Effect } from 'effect'
import type { StoreFailed } from './store-failed.ts'

/** Whether any worker takes jobs. */
export interface WorkersState {
  /** Workers with a heartbeat in the last minute that have not stopped. */
  readonly running: number
  /** Time of the last heartbeat, RFC 3339; null: never. */
  readonly lastHeartbeat: string | null
}

/**
 * Registers workers by their heartbeats. Times come from the database's clock, so the clocks of the
 * machines do not matter.
 */
export class Workers extends Context.Tag('@netbox-pbs/core/Workers')<
  Workers,
  {
    /** Records a heartbeat. `id` is a UUID of the worker's process, `name` is for people. */
    readonly heartbeat: (worker: { readonly id: string; readonly name: string }) => Effect.Effect<void, StoreFailed>
    /** Records the orderly stop of a worker. */
    readonly stopped: (worker: { readonly id: string }) => Effect.Effect<void, StoreFailed>
    readonly state: () => Effect.Effect<WorkersState, StoreFailed>
  }
>() {}
