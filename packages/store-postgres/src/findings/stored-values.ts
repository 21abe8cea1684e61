import { type RawBuilder, sql } from 'kysely'

/** A time in whole seconds since 1970. */
export const seconds = (time: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`floor(extract(epoch from ${time}))::float8`

/** The ids of objects of a model that have a finding that is not closed. */
export const withFinding = (model: string): RawBuilder<unknown> =>
  sql`select f.object_id from findings f where f.model = ${sql.lit(model)} and f.closed is null`
