import { formatTimestamp } from '@netbox-pbs/core'
import { Clock, Effect } from 'effect'

/** The present moment, of the clock that Effect provides. */
export const now: Effect.Effect<string> = Effect.map(Clock.currentTimeMillis, formatTimestamp)
