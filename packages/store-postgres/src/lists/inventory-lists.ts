import type { ModelName } from '@netbox-pbs/core'
import { InventoryLists, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Layer } from 'effect'
import { type Kysely, sql } from 'kysely'
import { Database } from '../database/database.ts'
import type { Tables } from '../database/tables.ts'
import { mainListView } from './list-view.ts'
import { listsOf, type Rows } from './read-lists.ts'
import { mainRelation } from './relation.ts'

/** Lists and details straight from main's tables. */
export const inventoryListsLayer: Layer.Layer<InventoryLists, never, Database> = Layer.effect(
  InventoryLists,
  Effect.gen(function* () {
    const database = yield* Database
    return listsOf({
      database,
      folding: yield* foldingOf(database),
      rows: (model) => Effect.succeed(mainRows(model)),
    })
  }),
)

/** The rows of a model as they lie in main. */
export const mainRows = (model: ModelName): Rows => ({
  view: () => mainListView(model),
  countedGroups: mainRelation('group'),
  servers: sql`servers`,
})

/**
 * The built-in one of PostgreSQL 17, ICU's root, and what systems of old call UTF-8 without a
 * language: the best first.
 */
const candidates = ['pg_c_utf8', 'und-x-icu', 'C.utf8', 'C.UTF-8', 'en_US.utf8']

/**
 * A collation under which case is ignored for all letters, not only those of ASCII; null: the
 * server has none, and the database's own must do.
 */
async function foldingCollation(db: Kysely<Tables>): Promise<string | null> {
  const { rows } = await sql<{ collname: string }>`
    select collname from pg_collation
    where collname = any(${candidates}::text[]) and collencoding in (-1, pg_char_to_encoding('UTF8'))
    order by array_position(${candidates}::text[], collname::text) limit 1`.execute(db)
  return rows[0]?.collname ?? null
}

/** The same, asked for once: when the first search needs it. */
export const foldingOf = (database: Database['Type']): Effect.Effect<Effect.Effect<string | null, StoreFailed>> =>
  Effect.cached(database.query('reading the collations', foldingCollation))
