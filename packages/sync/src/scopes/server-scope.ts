import { type Scope, scopeTitle } from '@netbox-pbs/core'
import { ChangeSets, Inventory, Runs } from '@netbox-pbs/core/ports'
import { Clock, Effect, Stream } from 'effect'
import { now } from '../moment.ts'
import { type ReportedServer, settleServers } from '../servers/settle-servers.ts'
import { nothingDeleted } from './judge.ts'
import { landScope } from './land-scope.ts'
import { breach } from './scope-broken.ts'
import type { Job, ScopeWork } from './scope-work.ts'

/** The servers of the gateway. The guard has no say here: servers do not vanish by sync. */
export const openServerScope = (
  job: Job,
  scope: Extract<Scope, { readonly resource: 'servers' }>,
): Effect.Effect<ScopeWork> =>
  Effect.map(now, (started) => {
    const reported = new Map<string, ReportedServer>()
    return {
      get listed() {
        return reported.size
      },
      row: (frame) => {
        if (frame._tag !== 'server') return Effect.void
        if (reported.has(frame.facts.name)) return breach(`${scopeTitle(scope)} list ${frame.facts.name} twice`)
        reported.set(frame.facts.name, frame)
        return Effect.void
      },
      complete: ({ count, view }) =>
        Effect.gen(function* () {
          if (count !== reported.size) return yield* breach(`a count of ${count}, but ${reported.size} servers came`)
          const main = yield* Stream.runCollect((yield* Inventory).servers())
          const nowMillis = yield* Clock.currentTimeMillis
          const { changeSet, runId } = job
          const settled = settleServers([...main], [...reported.values()], { nowMillis, runId })
          const { changes, observed, unchanged, warnings } = settled
          yield* (yield* ChangeSets).append({ changeSet, scope, model: 'server', changes, observed })
          if (warnings.length > 0) yield* (yield* Runs).warn({ id: runId, warnings })
          const ready = {
            scope,
            started,
            view,
            verdict: nothingDeleted,
            listed: true,
            changes: changes.length,
            unchanged,
          }
          return (yield* landScope(job, ready)).outcome
        }),
    }
  })
