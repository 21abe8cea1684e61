import type { HoldReason, Scope } from '@netbox-pbs/core'
import { type ChangeSets, Inventory, type Runs } from '@netbox-pbs/core/ports'
import { Effect, Stream } from 'effect'
import { now } from '../moment.ts'
import { appendChanges } from './append-changes.ts'
import { judge } from './judge.ts'
import { landScope } from './land-scope.ts'
import { type Compared, RowList } from './row-list.ts'
import type { JobStopped, ScopeWork, ServerJob } from './scope-work.ts'
import { SnapshotScope } from './snapshot-scope.ts'

/** The namespaces of one datastore. */
export type NamespaceScopeName = Extract<Scope, { readonly resource: 'namespaces' }>
type Gone = Compared<'namespace'>['goes']

/** The namespaces scope of a datastore. What lies in a namespace that vanished is let go of before the namespace is. */
export const openNamespaceScope = (job: ServerJob, scope: NamespaceScopeName): Effect.Effect<ScopeWork> =>
  Effect.map(now, (started) => {
    const list = new RowList('namespace', scope)
    return {
      get listed() {
        return list.size
      },
      row: (frame) => (frame._tag === 'namespace' ? list.add({ ...frame.facts, server: job.serverId }) : Effect.void),
      complete: (completed) =>
        Effect.gen(function* () {
          yield* list.counted(completed)
          const { stays, goes, unchanged } = list.compare(yield* namespacesOf(job, scope))
          const { view } = completed
          const held = yield* judge(job, { scope, listed: list.size, deletions: goes.length, view })
          yield* appendChanges(job, scope, 'namespace', stays)
          yield* removeNamespaces(job, scope, goes, held)
          const changes = stays.length + goes.length
          return (yield* landScope(job, { scope, started, view, held, listed: true, changes, unchanged })).outcome
        }),
    }
  })

/**
 * Lets go of a datastore's namespaces and of all that lies in them, because a complete list lacks the datastore. Gives the number of rows that wait.
 */
export const emptyNamespaces = Effect.fn('sync.emptyNamespaces')(function* (
  job: ServerJob,
  scope: NamespaceScopeName,
  inherited: HoldReason | null,
) {
  const started = yield* now
  const { server, datastore } = scope
  const main = yield* namespacesOf(job, scope)
  const { goes } = new RowList('namespace', scope).compare(main)
  // Rows made by hand may lie where no source ever listed a namespace.
  const listed = new Set(goes.map(({ row }) => row.facts.path))
  const others = (yield* Inventory).namespacesInUse({ serverId: job.serverId, datastore })
  let waiting = 0
  yield* Stream.runForEach(others, (namespace) =>
    Effect.gen(function* () {
      if (listed.has(namespace)) return
      waiting += yield* SnapshotScope.empty(job, { resource: 'snapshots', server, datastore, namespace }, inherited)
    }),
  )
  const held = inherited ?? (yield* judge(job, { scope, listed: 0, deletions: goes.length }))
  waiting += yield* removeNamespaces(job, scope, goes, held)
  if (goes.length === 0) return waiting
  const ready = { scope, started, view: null, held, listed: false, changes: goes.length, unchanged: 0 }
  return waiting + (yield* landScope(job, ready)).counts.held_back
})

/** Empties the snapshots scope of each vanished namespace, then appends its deletion; it waits while rows in it or below it do. */
const removeNamespaces = Effect.fn('sync.removeNamespaces')(function* (
  job: ServerJob,
  scope: NamespaceScopeName,
  goes: Gone,
  held: HoldReason | null,
): Effect.fn.Return<number, JobStopped, ChangeSets | Inventory | Runs> {
  const { server, datastore } = scope
  const waitingPaths: Array<string> = []
  let waiting = 0
  for (const { change, row } of deepestFirst(goes)) {
    const { path } = row.facts
    const rows = yield* SnapshotScope.empty(job, { resource: 'snapshots', server, datastore, namespace: path }, held)
    waiting += rows
    const stays = rows > 0 || waitingPaths.some((below) => isBelow(below, path))
    if (stays) waitingPaths.push(path)
    yield* appendChanges(job, scope, 'namespace', [change], stays && held === null ? 'rows_below' : null)
  }
  return waiting
})

const namespacesOf = ({ serverId }: ServerJob, { datastore }: NamespaceScopeName) =>
  Effect.flatMap(Inventory, (inventory) => Stream.runCollect(inventory.namespaces({ serverId, datastore })))

const isBelow = (path: string, above: string): boolean => above === '' || path.startsWith(`${above}/`)

/** A path is longer than every path above it. */
const deepestFirst = (goes: Gone): Gone => [...goes].sort((a, b) => b.row.facts.path.length - a.row.facts.path.length)
