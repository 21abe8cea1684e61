import { type RawBuilder, sql } from 'kysely'

/** Characters that PostgreSQL cannot store: NUL, and halves of surrogate pairs. */
const unstorable = /\\u(?:0000|d[89a-f])/i

/**
 * A value as a `jsonb` parameter. Characters that PostgreSQL cannot store are replaced by U+FFFD,
 * so that one odd comment does not stop the rows next to it.
 */
export function jsonb(value: unknown): RawBuilder<unknown> {
  const text = JSON.stringify(value)
  // Sent as text, because drivers differ in how they write a list for a jsonb parameter.
  return sql`${unstorable.test(text) ? JSON.stringify(value, (_, inner) => storable(inner)) : text}::text::jsonb`
}

/** Text as PostgreSQL can store it; anything else as it is. */
export function storable<A>(value: A): A | string {
  return typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\uFFFD') : value
}

/** Texts of the code as literals of a statement, separated by commas. Parameters would hide them from the planner. */
export const literals = (texts: ReadonlyArray<string>): RawBuilder<unknown> =>
  sql.join(texts.map((text) => sql.lit(text)))
