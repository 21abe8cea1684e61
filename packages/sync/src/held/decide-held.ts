import {
  coverageOf,
  type HeldDeletions,
  type ListedAbove,
  type Run,
  type Scope,
  type ServerScope,
} from '@netbox-pbs/core'
import {
  type Branches,
  type HeldDeletionsChanged,
  type HeldDeletionsNotFound,
  HeldDeletionsStore,
  Inventory,
  type Queue,
  type Runs,
  type SettingsStore,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Effect, Option, Stream } from 'effect'
import { startRun } from '../runs/start-run.ts'

/** An operator's decision of held deletions. */
export interface HeldDecision {
  readonly id: number
  /** The revision of the set that the operator saw; null: the present one. */
  readonly revision: number | null
  readonly user: string
  /** UUID of the request it came with, for the change log; left out: none. */
  readonly requestId?: string
}

/**
 * Confirms held deletions, and starts a run of their scope that deletes the rows which are still
 * missing. If that run fails, the next one that lists the scope completely deletes them.
 */
export const confirmHeld = Effect.fn('sync.confirmHeld')(function* (
  decision: HeldDecision,
): Effect.fn.Return<
  Run,
  StoreFailed | HeldDeletionsNotFound | HeldDeletionsChanged,
  Branches | HeldDeletionsStore | Inventory | Queue | Runs | SettingsStore
> {
  const { scope } = yield* (yield* HeldDeletionsStore).decide({ ...decision, state: 'confirmed' })
  const servers = scope.resource === 'servers' ? null : [scope.server]
  const above = scope.resource === 'servers' ? noneAbove : yield* listedAbove(scope)
  const { resource, scope_filter } = coverageOf(scope, above)
  const request = { resources: [resource], servers, scope_filter, trigger: 'manual', user: decision.user } as const
  // A request for one resource of one server is never refused.
  return yield* Effect.catchTag(startRun(request), 'RunNotStarted', Effect.die)
})

/** Keeps the rows of held deletions; operators are not asked again until more rows go missing. */
export const dismissHeld = (
  decision: HeldDecision,
): Effect.Effect<HeldDeletions, StoreFailed | HeldDeletionsNotFound | HeldDeletionsChanged, HeldDeletionsStore> =>
  Effect.flatMap(HeldDeletionsStore, (sets) => sets.decide({ ...decision, state: 'dismissed' }))

const noneAbove: ListedAbove = { datastore: false, namespace: false }

/** Which parents of a scope main knows as listed. */
const listedAbove = (scope: ServerScope): Effect.Effect<ListedAbove, StoreFailed, Inventory> =>
  Effect.gen(function* () {
    const inventory = yield* Inventory
    const server = yield* Stream.runHead(Stream.filter(inventory.servers(), ({ facts }) => facts.name === scope.server))
    if (Option.isNone(server)) return noneAbove
    const serverId = server.value.id
    const isStore = (row: { readonly presence: string; readonly facts: { readonly name: string } }) =>
      row.presence === 'listed' && row.facts.name === storeOf(scope)
    const datastore = Option.isSome(yield* Stream.runHead(Stream.filter(inventory.datastores({ serverId }), isStore)))
    if (!datastore || scope.resource !== 'snapshots') return { datastore, namespace: false }
    const namespaces = inventory.namespaces({ serverId, datastore: scope.datastore })
    const namespace = yield* Stream.runHead(
      Stream.filter(namespaces, ({ presence, facts }) => presence === 'listed' && facts.path === scope.namespace),
    )
    return { datastore, namespace: Option.isSome(namespace) }
  })

const storeOf = (scope: Scope): string | null => ('datastore' in scope ? scope.datastore : null)
