import type { ModelName } from '@netbox-pbs/core'
import type { InventoryLists, StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { recountStale } from '../branches/stale-groups.ts'
import type { Database } from '../database/database.ts'
import { listsOf, mainRows, type Rows } from '../lists/inventory-lists.ts'
import type { ListView } from '../lists/list-view.ts'
import { type OverlayFacts, readFacts } from './facts.ts'
import { overlayGroups } from './groups.ts'
import { overlayLevels } from './levels.ts'
import { overlayNamespaces } from './namespaces.ts'
import { overlayRows, overlayServers } from './rows.ts'

/** Lists and details as a branch has them. Tasks are not branched: they are main's. */
export const overlayLists = (
  database: Database['Type'],
  folding: Effect.Effect<string | null, StoreFailed>,
  branch: number,
): InventoryLists['Type'] =>
  listsOf({
    database,
    folding,
    rows: (model) =>
      model === 'task' ? Effect.succeed(mainRows(model)) : Effect.map(factsOf(database, branch, model), rowsOf),
  })

const rowsOf = (facts: OverlayFacts): Rows => ({
  view: (fields) => viewOf(facts, fields),
  levels: overlayLevels(facts),
  servers: overlayServers(facts),
})

function viewOf(facts: OverlayFacts, fields: Parameters<Rows['view']>[0]): ListView {
  switch (facts.model) {
    case 'group':
      return overlayGroups(facts)
    case 'namespace':
      return overlayNamespaces(facts)
    default:
      return overlayRows(facts, fields)
  }
}

const countedModels: ReadonlySet<ModelName> = new Set(['snapshot', 'group', 'namespace'])

/** The facts about the branch, after its groups were recounted over main. */
const factsOf = Effect.fn('Branches.overlayFacts')(function* (
  database: Database['Type'],
  branch: number,
  model: ModelName,
): Effect.fn.Return<OverlayFacts, StoreFailed> {
  const facts = database.query('reading a branch', (db) => readFacts(db, branch, model))
  const first = yield* facts
  if (!first.stale || !countedModels.has(model)) return first
  yield* recountStale(database, branch)
  return yield* facts
})
