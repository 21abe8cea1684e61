import type { ModelName } from '@netbox-pbs/core'
import { InventoryLists } from '@netbox-pbs/core/ports'
import { Effect, Layer } from 'effect'
import { sql } from 'kysely'
import { Database } from '../database/database.ts'
import { foldingOf } from './folding-collation.ts'
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
