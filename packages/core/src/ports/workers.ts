import { Context, type Effect } from 'effect'
import type { StoreFailed } from './store-failed.ts'

/** Whether anybody takes jobs. */
export interface WorkersState {
  /** Workers that were heard of within the last minute and have not stopped. */
  readonly running: number
  /** When one was last heard of, RFC 3339; null: never. */
  readonly lastHeartbeat: string | null
}

/** Which workers there are, by their own heartbeats. The database's clock tells the time, so that those of the machines do not matter. */
export class Workers extends Context.Tag('@netbox-pbs/core/Workers')<
  Workers,
  {
    /** A worker lives. `id` is a UUID of its process, `name` tells a person which one it is. */
    readonly heartbeat: (worker: { readonly id: string; readonly name: string }) => Effect.Effect<void, StoreFailed>
    /** A worker stops as it was told to. */
    readonly stopped: (worker: { readonly id: string }) => Effect.Effect<void, StoreFailed>
    readonly state: () => Effect.Effect<WorkersState, StoreFailed>
  }
>() {}
