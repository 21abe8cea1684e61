import { Context, type Effect } from 'effect'
import type { ServerHealth } from '../health/server-health.ts'
import type { StoreFailed } from './store-failed.ts'

/** Observations written outside a landing: a server's health, even when its sync fails. */
export class ServerObservations extends Context.Tag('@netbox-pbs/core/ServerObservations')<
  ServerObservations,
  {
    /** An unknown server is ignored. A health without a last contact keeps the stored contact. */
    readonly record: (reading: {
      readonly serverId: number
      readonly health: ServerHealth
    }) => Effect.Effect<void, StoreFailed>
  }
>() {}
