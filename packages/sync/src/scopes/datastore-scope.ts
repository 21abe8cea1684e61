import type { Scope } from '@netbox-pbs/core'
import { ChangeSets, Inventory } from '@netbox-pbs/core/ports'
import { Effect, Stream } from 'effect'
import { now } from '../timestamp.ts'
import { childrenHold, deletionAbove } from './child-rows.ts'
import { appendChanges, appendSightings, judge, landScope } from './land-scope.ts'
import { emptyNamespaces } from './namespace-scope.ts'
import { RowList } from './row-list.ts'
import { emptyBelowNames, namesWithoutRow } from './rows-without-parent.ts'
import type { ScopeWork, ServerJob } from './scope-work.ts'

/** The datastores of a server. The children of a vanished datastore are deleted before the datastore. */
export const openDatastoreScope = (
  job: ServerJob,
  scope: Extract<Scope, { readonly resource: 'datastores' }>,
): Effect.Effect<ScopeWork> =>
  Effect.map(now, (started) => {
    const list = new RowList('datastore', scope, { server: job.serverId })
    return {
      get listed() {
        return list.size
      },
      row: (frame) => (frame._tag === 'datastore' ? list.add(frame.facts, frame.observed) : null),
      complete: (completed) =>
        Effect.gen(function* () {
          yield* list.counted(completed)
          const main = (yield* Inventory).datastores({ serverId: job.serverId })
          const rows = yield* Stream.runCollect(main)
          const { upserts, deletions, alreadyMissing, unchanged, sightings } = list.compare(rows, job.runId, completed)
          const { visibility, leftOut } = completed
          const verdict = yield* judge(job, {
            scope,
            listed: list.size,
            deletions: deletions.length,
            alreadyMissing,
            visibility,
          })
          const { changeSet, server } = job
          const observed = list.observed
          yield* (yield* ChangeSets).append({ changeSet, scope, model: 'datastore', changes: upserts, observed })
          const sighted = yield* appendSightings(job, scope, 'datastore', sightings)
          let changes = upserts.length
          for (const removed of deletions) {
            const namespaces = { resource: 'namespaces', server, datastore: removed.row.facts.name } as const
            const children = yield* emptyNamespaces(job, namespaces, {
              runId: null,
              visibility,
              upstreamHold: childrenHold(verdict, removed),
            })
            const becomes = deletionAbove(verdict, removed, children)
            if (becomes === 'rest') continue
            yield* appendChanges(
              job,
              scope,
              'datastore',
              [removed.change],
              becomes === 'children_held' ? becomes : null,
            )
            if (!(verdict.missing === 'kept' && removed.change.missing === true)) changes++
          }
          const inUse = (yield* Inventory).datastoresInUse({ serverId: job.serverId })
          const listed = [...list.facts].map(({ name }) => name)
          const ofSource = [...rows].flatMap(({ presence, facts }) => (presence === 'manual' ? [] : [facts.name]))
          const names = leftOut > 0 ? [] : yield* namesWithoutRow(inUse, listed, ofSource)
          const landing = yield* emptyBelowNames(job, { scope, names, verdict, visibility }, (datastore, emptying) =>
            emptyNamespaces(job, { resource: 'namespaces', server, datastore }, emptying),
          )
          const ready = { scope, started, verdict, listed: true, leftOut, sighted, changes, unchanged }
          return (yield* landScope(job, { ...ready, visibility: landing })).outcome
        }),
    }
  })
