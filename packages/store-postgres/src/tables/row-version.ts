import { type ExpectedVersions, VersionChanged } from '@netbox-pbs/core/ports'
import { type RawBuilder, sql } from 'kysely'

/**
 * The `last_updated` of a row that is being written, after the one in the column: no two versions
 * of a row are equal, though the embedded engine's clock has only milliseconds and a transaction
 * may have begun long before it got the row's lock.
 */
export const nextVersion = (lastUpdated: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`greatest(clock_timestamp(), ${lastUpdated} + interval '1 microsecond')`

/**
 * The error of a locked row that has none of the requested versions; null: it has one of them.
 * `index`: its place in a request that names several.
 */
export const versionChanged = (version: string, requested: ExpectedVersions, index?: number): VersionChanged | null =>
  requested === undefined || requested.includes(version)
    ? null
    : new VersionChanged({ version, ...(index === undefined ? {} : { index }) })
