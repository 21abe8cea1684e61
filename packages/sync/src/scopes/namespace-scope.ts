import type { MainRow, Scope } from '@netbox-pbs/core'
import { Inventory } from '@netbox-pbs/core/ports'
import { Effect, Stream } from 'effect'
import { now } from '../timestamp.ts'
import {
  addChildren,
  type ChildRows,
  childrenHold,
  deletionAbove,
  type Emptying,
  noChildren,
  type Unlisted,
} from './child-rows.ts'
import { appendChanges, appendSightings, judge, landScope, type ScopeJudgement } from './land-scope.ts'
import { RowList } from './row-list.ts'
import { emptyBelowNames, namesWithoutRow } from './rows-without-parent.ts'
import type { JobStopped, ScopePorts, ScopeWork, ServerJob } from './scope-work.ts'
import { SnapshotScope } from './snapshot-scope.ts'

/** The namespaces of one datastore. */
export type NamespaceScopeName = Extract<Scope, { readonly resource: 'namespaces' }>

/** The namespaces scope of a datastore. The children of a vanished namespace are deleted before the namespace. */
export const openNamespaceScope = (job: ServerJob, scope: NamespaceScopeName): Effect.Effect<ScopeWork> =>
  Effect.map(now, (started) => {
    const list = new RowList('namespace', scope, { server: job.serverId })
    return {
      get listed() {
        return list.size
      },
      row: (frame) => (frame._tag === 'namespace' ? list.add(frame.facts) : null),
      complete: (completed) =>
        Effect.gen(function* () {
          yield* list.counted(completed)
          const rows = yield* namespacesOf(job, scope)
          const { upserts, deletions, alreadyMissing, unchanged, sightings } = list.compare(rows, job.runId, completed)
          const { visibility, leftOut } = completed
          const verdict = yield* judge(job, {
            scope,
            listed: list.size,
            deletions: deletions.length,
            alreadyMissing,
            visibility,
          })
          yield* appendChanges(job, scope, 'namespace', upserts)
          const sighted = yield* appendSightings(job, scope, 'namespace', sightings)
          const { removed } = yield* removeNamespaces(job, scope, deletions, verdict, visibility)
          const changes = upserts.length + removed
          const { server, datastore } = scope
          const listed = [...list.facts].map(({ path }) => path)
          const names = leftOut > 0 ? [] : yield* withoutRow(job, scope, rows, listed)
          const landing = yield* emptyBelowNames(job, { scope, names, verdict, visibility }, (namespace, emptying) =>
            SnapshotScope.empty(job, { resource: 'snapshots', server, datastore, namespace }, emptying),
          )
          const ready = { scope, started, verdict, listed: true, leftOut, sighted, changes, unchanged }
          return (yield* landScope(job, { ...ready, visibility: landing })).outcome
        }),
    }
  })

/**
 * Deletes a datastore's namespaces and their children, because a complete list lacks the datastore.
 * Returns the rows that stay.
 */
export const emptyNamespaces = Effect.fn('sync.emptyNamespaces')(function* (
  job: ServerJob,
  scope: NamespaceScopeName,
  emptying: Emptying,
) {
  const started = yield* now
  const { server, datastore } = scope
  const main = yield* namespacesOf(job, scope)
  const list = new RowList('namespace', scope, { server: job.serverId })
  const { deletions, alreadyMissing, sightings } = list.compare(main, emptying.runId, { leftOut: 0 })
  const sighted = yield* appendSightings(job, scope, 'namespace', sightings)
  let children: ChildRows = { ...noChildren, noted: sighted }
  for (const namespace of yield* withoutRow(job, scope, main, [])) {
    const snapshots = { resource: 'snapshots', server, datastore, namespace } as const
    children = addChildren(children, yield* SnapshotScope.empty(job, snapshots, emptying))
  }
  const { visibility, upstreamHold } = emptying
  const verdict = yield* judge(job, {
    scope,
    listed: 0,
    deletions: deletions.length,
    alreadyMissing,
    visibility,
    emptied: { upstreamHold },
  })
  const { removed, stay } = yield* removeNamespaces(job, scope, deletions, verdict, visibility)
  children = addChildren(children, stay)
  if (deletions.length + sighted === 0) return children
  const ready = { scope, started, visibility, verdict, listed: false, leftOut: 0, sighted }
  const waiting = (yield* landScope(job, { ...ready, changes: removed, unchanged: 0 })).counts.held_back
  return addChildren(children, { waiting, kept: waiting === 0 ? deletions.length - removed : 0, noted: 0 })
})

/**
 * Empties the snapshots scope of each vanished namespace, then appends its deletion; it waits while
 * rows in it or below it stay. Gives the rows that stay in those scopes, and how many deletions are
 * more than a row that is missing already and is kept.
 */
const removeNamespaces = Effect.fn('sync.removeNamespaces')(function* (
  job: ServerJob,
  scope: NamespaceScopeName,
  deletions: ReadonlyArray<Unlisted<'namespace'>>,
  verdict: ScopeJudgement,
  visibility: string | null,
): Effect.fn.Return<{ readonly removed: number; readonly stay: ChildRows }, JobStopped, ScopePorts> {
  const { server, datastore } = scope
  const staying: Array<{ readonly path: string; readonly rows: ChildRows }> = []
  let stay = noChildren
  let removed = 0
  for (const unlisted of deepestFirst(deletions)) {
    const { path } = unlisted.row.facts
    const snapshots = { resource: 'snapshots', server, datastore, namespace: path } as const
    const within = yield* SnapshotScope.empty(job, snapshots, {
      runId: null,
      visibility,
      upstreamHold: childrenHold(verdict, unlisted),
    })
    stay = addChildren(stay, within)
    const children = staying
      .filter((other) => isDescendant(other.path, path))
      .reduce((sum, { rows }) => addChildren(sum, rows), within)
    if (children.waiting + children.kept > 0) staying.push({ path, rows: within })
    const becomes = deletionAbove(verdict, unlisted, children)
    if (becomes === 'rest') continue
    yield* appendChanges(
      job,
      scope,
      'namespace',
      [unlisted.change],
      becomes === 'children_held' ? 'children_held' : null,
    )
    if (!(verdict.missing === 'kept' && unlisted.change.missing === true)) removed++
  }
  return { removed, stay }
})

/** The namespaces of a datastore that rows are in, and that neither the list nor a row of a source has. */
const withoutRow = (
  { serverId }: ServerJob,
  { datastore }: NamespaceScopeName,
  rows: Iterable<MainRow<'namespace'>>,
  listed: Iterable<string>,
) =>
  Effect.flatMap(Inventory, (inventory) => {
    const ofSource = [...rows].flatMap(({ presence, facts }) => (presence === 'manual' ? [] : [facts.path]))
    return namesWithoutRow(inventory.namespacesInUse({ serverId, datastore }), listed, ofSource)
  })

const namespacesOf = ({ serverId }: ServerJob, { datastore }: NamespaceScopeName) =>
  Effect.flatMap(Inventory, (inventory) => Stream.runCollect(inventory.namespaces({ serverId, datastore })))

const isDescendant = (path: string, above: string): boolean => above === '' || path.startsWith(`${above}/`)

/** A path is longer than every path above it. */
const deepestFirst = (deletions: ReadonlyArray<Unlisted<'namespace'>>): ReadonlyArray<Unlisted<'namespace'>> =>
  [...deletions].sort((a, b) => b.row.facts.path.length - a.row.facts.path.length)
