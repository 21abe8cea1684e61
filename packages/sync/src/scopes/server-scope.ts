import { noRows, type RowCounts, type Scope, scopeTitle } from '@netbox-pbs/core'
import { ChangeSets, Inventory, Runs, type ServerRow } from '@netbox-pbs/core/ports'
import { Clock, Effect, Stream } from 'effect'
import { type Reconciliation, type ReportedServer, reconcileServers } from '../servers/reconcile-servers.ts'
import { logStatus } from '../servers/server-contact.ts'
import { now } from '../timestamp.ts'
import { landScope, nothingDeleted } from './land-scope.ts'
import { breach, type Job, type JobStopped, type ScopeWork } from './scope-work.ts'

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
      complete: ({ count, visibility, leftOut }) =>
        Effect.gen(function* () {
          if (count !== reported.size) return yield* breach(`a count of ${count}, but ${reported.size} servers came`)
          const main = yield* Stream.runCollect((yield* Inventory).servers())
          const nowMillis = yield* Clock.currentTimeMillis
          const { runId } = job
          const reconciled = reconcileServers([...main], [...reported.values()], { nowMillis, runId })
          const { unchanged, warnings } = reconciled
          if (warnings.length > 0) yield* (yield* Runs).warn({ id: runId, warnings })
          const { landed, rest } = yield* landNewServers(job, scope, reconciled)
          const { changeSet } = job
          yield* (yield* ChangeSets).append({ changeSet, scope, model: 'server', ...rest })
          const ready = {
            scope,
            started,
            visibility,
            verdict: nothingDeleted,
            listed: true,
            leftOut,
            changes: reconciled.changes.length - landed.created,
            unchanged,
          }
          const { outcome } = yield* landScope(job, { ...ready, landed })
          yield* logStatuses([...main], reconciled.observed)
          return outcome
        }),
    }
  })

/**
 * Logs which servers have changed their state. A renamed server is looked up by its new name, and
 * so logged as a first contact.
 */
const logStatuses = (main: ReadonlyArray<ServerRow>, observed: Reconciliation['observed']): Effect.Effect<void> => {
  const before = new Map(main.map(({ facts, health }) => [facts.name, health]))
  return Effect.forEach(
    observed,
    ({ key: [server], values }) => logStatus(server, before.get(server) ?? null, values),
    { discard: true },
  )
}

type Servers = Pick<Reconciliation, 'changes' | 'observed'>

/**
 * Lands new servers at once, also when the run stages in a branch, because staging their children
 * in this run needs their ids; no conflict with a new row is possible. Where a merge was reverted
 * they wait for review with the rest. Returns the landed rows and the rest.
 */
const landNewServers = Effect.fn('sync.landNewServers')(function* (
  { branch, changeSet, runId }: Job,
  scope: Extract<Scope, { readonly resource: 'servers' }>,
  { changes, observed }: Servers,
): Effect.fn.Return<{ readonly landed: RowCounts; readonly rest: Servers }, JobStopped, ChangeSets> {
  const created = changes.filter(({ _tag }) => _tag === 'create')
  if (branch === null || created.length === 0) return { landed: noRows, rest: { changes, observed } }
  const names = new Set(created.map(({ key: [name] }) => name))
  const rest = {
    changes: changes.filter(({ _tag }) => _tag !== 'create'),
    observed: observed.filter(({ key: [name] }) => !names.has(name)),
  }
  const changeSets = yield* ChangeSets
  const ofNew = { changes: created, observed: observed.filter(({ key: [name] }) => names.has(name)) }
  yield* changeSets.append({ changeSet, scope, model: 'server', ...ofNew })
  const landing = {
    changeSet,
    scope,
    runId,
    at: yield* now,
    visibility: null,
    held: null,
    listed: false,
    leftOut: 0,
    record: null,
  }
  return yield* changeSets.land(landing).pipe(
    Effect.map((landed) => ({ landed, rest })),
    // The appended servers wait in the change set, and are staged with the rest.
    Effect.catchTag('ScopeInReview', () => Effect.succeed({ landed: noRows, rest })),
  )
})
