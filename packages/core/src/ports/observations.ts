import { Context, type Effect } from 'effect'
import type { ServerHealth } from '../health/server-health.ts'
import type { StoreFailed } from './store-failed.ts'

/** Readings written outside a landing: a server's health also when its sync fails. */
export class ServerObservations extends Context.Tag('@netbox-pbs/core/ServerObservations')<
  ServerObservations,
  {
    /** A server that main does not have is left alone. A health without a last contact leaves the one that is stored. */
    readonly record: (reading: {
      readonly serverId: number
      readonly health: ServerHealth
    }) => Effect.Effect<void, StoreFailed>
  }
>() {}
