import { type RawBuilder, sql } from 'kysely'

/** Texts of the code as literals of a statement, separated by commas. Parameters would hide them from the planner. */
export const literals = (texts: ReadonlyArray<string>): RawBuilder<unknown> =>
  sql.join(texts.map((text) => sql.lit(text)))
