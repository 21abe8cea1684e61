import type { Scope } from '@netbox-pbs/core'
import { ChangeSets, Inventory } from '@netbox-pbs/core/ports'
import { Effect, Stream } from 'effect'
import { now } from '../timestamp.ts'
import { appendSightings, judge, landScope } from './land-scope.ts'
import { RowList } from './row-list.ts'
import type { ScopeWork, ServerJob } from './scope-work.ts'

/** The jobs of one type of a server. */
export const openJobScope = (
  job: ServerJob,
  scope: Extract<Scope, { readonly resource: 'jobs' }>,
): Effect.Effect<ScopeWork> =>
  Effect.map(now, (started) => {
    const list = new RowList('job', scope, { server: job.serverId })
    return {
      get listed() {
        return list.size
      },
      row: (frame) => (frame._tag === 'job' ? list.add(frame.facts, frame.observed) : null),
      complete: (completed) =>
        Effect.gen(function* () {
          yield* list.counted(completed)
          const main = (yield* Inventory).jobs({ serverId: job.serverId, jobType: scope.job_type })
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
          const changes = [...upserts, ...deletions.map(({ change }) => change)]
          const { changeSet } = job
          const kept = verdict.missing === 'kept' ? alreadyMissing : 0
          yield* (yield* ChangeSets).append({ changeSet, scope, model: 'job', changes, observed: list.observed })
          const sighted = yield* appendSightings(job, scope, 'job', sightings)
          const ready = { scope, started, visibility, verdict, listed: true, leftOut, sighted, unchanged }
          return (yield* landScope(job, { ...ready, changes: changes.length - kept })).outcome
        }),
    }
  })
