import { Context, type Effect } from 'effect'
import type { StoreFailed } from './store-failed.ts'

/** Readings written outside a landing: a server's status also when its sync fails. */
export class ServerObservations extends Context.Tag('@netbox-pbs/core/ServerObservations')<
  ServerObservations,
  {
    /** `lastSeenAt` RFC 3339; null leaves the last contact as it is. A server that main does not have is left alone. */
    readonly record: (reading: {
      readonly server: string
      readonly status: 'reachable' | 'unreachable' | 'unknown'
      readonly lastSeenAt: string | null
    }) => Effect.Effect<void, StoreFailed>
  }
>() {}
