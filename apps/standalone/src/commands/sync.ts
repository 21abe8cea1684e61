import { Branch, SyncRunDetail } from '@netbox-pbs/api/records'
import { branchStates, runStates, stagedChanges } from '@netbox-pbs/core'
import { Effect } from 'effect'
import type { z } from 'zod'
import { CannotRun, WaitsForReview } from '../failures.ts'
import { call, type Remote, readAll } from '../remote/remote-api.ts'
import { complain, progress, say, table } from '../terminal.ts'

const Run = SyncRunDetail.pick({
  id: true,
  status: true,
  display_url: true,
  duration_seconds: true,
  counts: true,
  staged: true,
  rows_read: true,
  error: true,
  scope_count: true,
  scopes: true,
  warnings: true,
})
/** A run as the command shows it. */
export type Run = z.infer<typeof Run>

/** The coverage of the run; left out: everything. */
export interface SyncRequest {
  readonly resources?: ReadonlyArray<string>
  readonly servers?: ReadonlyArray<string>
  /** Left out: `full`. */
  readonly mode?: 'light'
}

const runs = '/api/plugins/pbs/sync-runs/'
const branchesPath = '/api/plugins/pbs/branches/'

const StartedRun = Run.pick({ id: true, display_url: true })
type StartedRun = z.infer<typeof StartedRun>

const startRun = (remote: Remote, request: SyncRequest): Effect.Effect<StartedRun, CannotRun> =>
  call(remote)({ method: 'POST', path: runs, body: request, answer: StartedRun })

/** Shows the progress of a run, and returns it when it has ended. */
const untilEnded = (remote: Remote, { id }: StartedRun): Effect.Effect<Run, CannotRun> =>
  Effect.gen(function* () {
    const read = call(remote)({ method: 'GET', path: `${runs}${id}/`, answer: Run })
    let run = yield* read
    while (runStates[run.status.value].open) {
      progress(`run ${id} is ${run.status.value}, ${run.rows_read} rows read`)
      yield* Effect.sleep('300 millis')
      run = yield* read
    }
    progress('')
    return run
  })

/** Starts a run, shows its progress, and returns it when it has ended. */
export const runSync = (remote: Remote, request: SyncRequest): Effect.Effect<Run, CannotRun> =>
  Effect.flatMap(startRun(remote, request), (started) => untilEnded(remote, started))

/** The run is the server's: it goes on without the command, whose exit code must not say that it completed. */
const goesOn = ({ id, display_url }: StartedRun): Effect.Effect<void> =>
  Effect.sync(() => {
    complain(`run ${id} goes on; watch or cancel it at ${display_url}`)
    process.exitCode = interrupted
  })

/** The exit code of a shell for a command that SIGINT ended. */
const interrupted = 130

/** Starts a run and prints its result. Fails unless it completed, and when changes wait in a branch. */
export const syncNow = (remote: Remote, request: SyncRequest): Effect.Effect<void, CannotRun | WaitsForReview> =>
  Effect.gen(function* () {
    const started = yield* startRun(remote, request)
    const run = yield* Effect.onInterrupt(untilEnded(remote, started), () => goesOn(started))
    report(run)
    const { status, id, display_url } = run
    const branches = stagedChanges(run.staged) === 0 ? [] : yield* openBranches(remote, id)
    for (const branch of branches) say(waiting(branch))
    if (status.value !== 'completed')
      return yield* new CannotRun({ message: `run ${id} is ${status.value}: ${display_url}` })
    if (branches.length > 0) return yield* new WaitsForReview({ runId: id, changes: stagedChanges(run.staged) })
  })

const StagedBranch = Branch.pick({
  name: true,
  status: true,
  conflict_count: true,
  display_url: true,
})

/** The branches that a run has staged into and that are still open. */
const openBranches = (remote: Remote, run: number) =>
  Effect.map(readAll(remote)(`${branchesPath}?run=${run}`, StagedBranch), (branches) =>
    branches.filter(({ status }) => branchStates[status.value].open),
  )

const waiting = ({ name, status, conflict_count, display_url }: z.infer<typeof StagedBranch>): string =>
  `branch ${name} is ${status.label.toLowerCase()}, with ${conflict_count} ${conflict_count === 1 ? 'conflict' : 'conflicts'} to resolve: ${display_url}`

/** Why a run did not complete, a line each. */
export const reasonsOf = ({ error, scopes }: Run): ReadonlyArray<string> => [
  ...(error === '' ? [] : [error]),
  ...scopes
    .filter(({ outcome }) => outcome.value === 'failed' || outcome.value === 'held_back')
    .map(({ display, outcome, reason }) => `${display}: ${reason?.message ?? outcome.label}`),
]

/** What is shown of a scope of a run. */
interface ShownScope {
  readonly display: string
  readonly outcome: { readonly value: string; readonly label: string }
  readonly reason: { readonly message: string } | null
}

/**
 * Scopes as lines: those that ended alike for one reason are one line, such as the lists of a server
 * that were not asked for after one of them failed.
 */
export function foldScopes(scopes: ReadonlyArray<ShownScope>): ReadonlyArray<ShownScope> {
  const byReason = Map.groupBy(scopes, ({ outcome, reason }) =>
    reason === null ? {} : `${outcome.value} ${reason.message.replace(/^not asked: /, '')}`,
  )
  return [...byReason.values()].flatMap(([first, ...more]) => {
    if (first === undefined) return []
    return [more.length === 0 ? first : { ...first, display: `${first.display} and ${more.length} more` }]
  })
}

function report(run: Run): void {
  const { created, updated, deleted, unchanged, held_back } = run.counts
  const { staged } = run
  const took = run.duration_seconds === null ? '' : ` in ${run.duration_seconds.toFixed(1)} s`
  say(
    `run ${run.id} ${run.status.value}${took}: ${created} created, ${updated} updated, ${deleted} deleted, ${unchanged} unchanged, ${held_back} held back`,
  )
  if (stagedChanges(staged) > 0)
    say(
      `waiting in a branch, not landed: ${staged.created} created, ${staged.updated} updated, ${staged.deleted} deleted`,
    )
  const notable = run.scopes.filter(({ outcome }) => outcome.value !== 'landed')
  if (notable.length > 0)
    say(
      table([
        ['SCOPE', 'OUTCOME', 'WHY'],
        ...foldScopes(notable).map((s) => [s.display, s.outcome.label, s.reason?.message ?? '']),
      ]),
    )
  if (run.scope_count > run.scopes.length) say(`${run.scope_count - run.scopes.length} more scopes: ${run.display_url}`)
  for (const warning of run.warnings)
    say(`warning: ${warning.display}${warning.count > 1 ? ` (${warning.count} times)` : ''}`)
  if (run.error !== '') say(run.error)
}
