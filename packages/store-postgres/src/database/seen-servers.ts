import { visibleServers } from '@netbox-pbs/core/ports'
import { Effect, FiberRef } from 'effect'
import { type RawBuilder, sql } from 'kysely'

/** Which servers the present user sees, as a condition on the column with a server's id; null: all. */
export type SeenServers = ((column: RawBuilder<unknown>) => RawBuilder<boolean>) | null

/** Those of the present request. */
export const seenServers: Effect.Effect<SeenServers> = Effect.map(
  FiberRef.get(visibleServers),
  (servers) => servers && ((column) => sql<boolean>`${column} = any(${servers}::bigint[])`),
)

/** The condition as part of others; nothing where all servers are seen. */
export const andSeen = (seen: SeenServers, column: RawBuilder<unknown>): RawBuilder<unknown> =>
  seen === null ? sql`` : sql`and ${seen(column)}`
