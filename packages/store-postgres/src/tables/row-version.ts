import { type ExpectedVersions, VersionChanged } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type RawBuilder, sql } from 'kysely'

/**
 * The `last_updated` of a row that is being written, after the one in the column: no two versions of a row are equal, though the embedded engine's clock has only milliseconds and a transaction may
 * have begun long before it got the row's lock.
 */
export const nextVersion = (lastUpdated: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`greatest(clock_timestamp(), ${lastUpdated} + interval '1 microsecond')`

/** Fails when a locked row has none of the requested versions. */
export const requireVersion = (version: string, requested: ExpectedVersions): Effect.Effect<void, VersionChanged> =>
  requested === undefined || requested.includes(version) ? Effect.void : Effect.fail(new VersionChanged({ version }))
