import {
  addCosts,
  addRows,
  formatTimestamp,
  noCost,
  noRows,
  type OutcomeCounts,
  type RequestCost,
  type Run,
  type RunJob,
  runAllows,
  runStatus,
  type ScopeResult,
  scopeKey,
  scopeOutcomes,
  scopeTitle,
  type Warning,
} from '@netbox-pbs/core'
import type { World } from './world.ts'

/** A job of a run: its state, and when it was expected or ended, in milliseconds. */
interface JobRecord {
  readonly serverId: number | null
  state: 'expected' | 'running' | 'retrying' | 'ended'
  since: number
  tries: number
  rowsRead: number
  cost: RequestCost
  error: string
  lastFailure: string
}

/** The dependencies of a run: the names of servers, and whether all that it staged has landed. */
interface Around {
  readonly world: World
  readonly merged: (id: number) => boolean
}

/** A run as the fake keeps it. */
export class RunRecord {
  readonly #around: Around
  readonly #results = new Map<string, { readonly serverId: number | null; readonly result: ScopeResult }>()
  readonly #warnings = new Map<string, Warning>()
  readonly jobs = new Map<number | null, JobRecord>()
  /** The errors of failed attempts, in order, after the server's name. */
  readonly retried: Array<string> = []
  /** The run's own record; the sums over its jobs are computed when it is read. */
  own: Run

  constructor(around: Around, own: Run) {
    this.#around = around
    this.own = own
  }

  /** The run as it is read: with the sums of its jobs and scopes, and the present names of its servers. */
  get run(): Run {
    const outcomes = { ...noOutcomes }
    let [landed, staged] = [noRows, noRows]
    for (const { counts, outcome } of this.outcomes) {
      outcomes[outcome]++
      if (outcome === 'staged') staged = addRows(staged, counts)
      else landed = addRows(landed, counts)
    }
    if (this.#around.merged(this.own.id)) [landed, staged] = [addRows(landed, staged), noRows]
    const { created, updated, deleted, ...rest } = staged
    const jobs = [...this.jobs.values()]
    return {
      ...this.own,
      servers: this.own.servers?.map((name, nth) => this.nameOf(this.own.serverIds?.[nth] ?? null) ?? name) ?? null,
      outcomes,
      counts: addRows(landed, { ...noRows, ...rest }),
      staged: { created, updated, deleted },
      rows_read: jobs.reduce((sum, { rowsRead }) => sum + rowsRead, 0),
      cost: jobs.reduce((sum, { cost }) => addCosts(sum, cost), noCost),
      error: [...new Set(jobs.flatMap(({ error }) => (error === '' ? [] : [error])))].toSorted().join('; '),
    }
  }

  get isOpen(): boolean {
    return runAllows(this.own, 'work')
  }

  /** The servers of the jobs that the run waits for. */
  get expected(): ReadonlySet<number | null> {
    return new Set([...this.jobs.values()].flatMap(({ state, serverId }) => (state === 'ended' ? [] : [serverId])))
  }

  /** How each scope ended, in the order they did. */
  get outcomes(): ReadonlyArray<ScopeResult> {
    return [...this.#results.values()].map(({ serverId, result }) => {
      const name = this.nameOf(serverId)
      if (result.scope.resource === 'servers' || name === null) return result
      return { ...result, scope: { ...result.scope, server: name } }
    })
  }

  get warnings(): ReadonlyArray<Warning> {
    return [...this.#warnings.values()]
  }

  /** How each scope ended that did not end unchanged, in words. */
  get ends(): ReadonlyArray<string> {
    return this.outcomes
      .filter(({ outcome }) => outcome !== 'unchanged')
      .map(({ scope, outcome, reason }) =>
        [scopeTitle(scope), outcome, ...(reason === null ? [] : [reason.code])].join(': '),
      )
  }

  nameOf(serverId: number | null): string | null {
    return serverId === null ? null : (this.#around.world.names.get(serverId) ?? null)
  }

  recordScope(serverId: number | null, result: ScopeResult): void {
    if (!this.isOpen) return
    // A renamed server's scope is the same scope.
    const { scope } = result
    const key = scopeKey(
      scope.resource === 'servers' || serverId === null ? scope : { ...scope, server: `#${serverId}` },
    )
    const earlier = this.#results.get(key)?.result
    if (earlier?.outcome === 'landed' && result.outcome === 'unchanged') return
    const { created, updated, deleted } =
      earlier === undefined || earlier.outcome === 'staged' ? noRows : earlier.counts
    const counts = addRows(result.counts, { ...noRows, created, updated, deleted })
    this.#results.delete(key)
    this.#results.set(key, { serverId, result: { ...result, counts } })
  }

  /** A job begins, or begins again: rows that its earlier attempt left unchanged are counted again. */
  startJob(serverId: number | null, at: number): boolean {
    if (!this.isOpen) return false
    this.own = { ...this.own, status: 'running', started: this.own.started ?? formatTimestamp(at) }
    const job = this.#job(serverId, at)
    if (job.state === 'ended') return false
    if (job.state === 'running') job.lastFailure = 'the worker that held it stopped before it was done'
    for (const [key, one] of this.#results)
      if (one.serverId === serverId && one.result.outcome === 'unchanged') this.#results.delete(key)
    Object.assign(job, { state: 'running', tries: job.tries + 1, rowsRead: 0 })
    return true
  }

  expectJobs(serverIds: ReadonlyArray<number | null>, at: number): void {
    if (this.isOpen) for (const serverId of serverIds) this.#job(serverId, at)
  }

  endJob(serverId: number | null, error: string | null, at: number): void {
    if (!this.isOpen) return
    const job = this.#job(serverId, at)
    if (job.state !== 'ended') Object.assign(job, { state: 'ended', error: error ?? '', since: at })
  }

  /** Ends the run, unless it waits for a job. An error of its own is kept as one of the gateway's job. */
  end(error: string | null, at: number): void {
    if (!this.isOpen || this.expected.size > 0) return
    if (error !== null) {
      this.endJob(null, null, at)
      const job = this.#job(null, at)
      job.error = [job.error, error].filter((text) => text !== '').join('; ')
    }
    this.own = { ...this.own, status: finalStatus(this.run), completed: formatTimestamp(at) }
  }

  requestCancel(at: number): void {
    if (!this.isOpen) return
    this.own = { ...this.own, cancel_requested: true }
    if (this.own.status === 'pending') this.own = { ...this.own, status: 'cancelled', completed: formatTimestamp(at) }
  }

  warn(warnings: ReadonlyArray<Warning>): void {
    for (const warning of warnings) {
      const known = this.#warnings.get(identityOf(warning))
      const different = [...this.#warnings.values()].filter(({ code }) => code !== more.code).length
      const kept = known !== undefined || different < most ? warning : more
      const count = (this.#warnings.get(identityOf(kept))?.count ?? 0) + warning.count
      this.#warnings.set(identityOf(kept), { ...kept, count })
    }
  }

  /** The jobs as a user reads them. The gateway's is one of the run only if it lists the servers, or failed. */
  get jobList(): ReadonlyArray<RunJob> {
    return [...this.jobs.values()]
      .filter(({ serverId, error }) => serverId !== null || error !== '' || this.own.resources.includes('servers'))
      .map((job) => ({
        server: this.nameOf(job.serverId),
        state: stateOf(job, this.own),
        tries: job.tries,
        error: job.state === 'ended' ? job.error : job.lastFailure,
        rows_read: job.rowsRead,
        cost: job.cost,
      }))
      .toSorted(
        (a, b) => importance.indexOf(a.state) - importance.indexOf(b.state) || compare(a.server ?? '', b.server ?? ''),
      )
  }

  #job(serverId: number | null, at: number): JobRecord {
    const found = this.jobs.get(serverId)
    if (found !== undefined) return found
    const job: JobRecord = { serverId, state: 'expected', since: at, ...untried }
    this.jobs.set(serverId, job)
    return job
  }
}

/** The state of a job before its first attempt. */
const untried = { tries: 0, rowsRead: 0, cost: noCost, error: '', lastFailure: '' }

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b))

/** Different warnings kept for a run; the rest are counted under `more`. */
const most = 1000
const more = { scope: null, code: 'more', message: `more than ${most} different warnings; these are counted only` }

const identityOf = ({ scope, code, message }: Omit<Warning, 'count'>): string =>
  JSON.stringify([scope === null ? null : scopeKey(scope), code, message])

/** The final status of a run. */
function finalStatus({ cancel_requested, outcomes, error }: Run): Run['status'] {
  if (cancel_requested) return 'cancelled'
  if (error === '') return runStatus(outcomes)
  const scopes = Object.values(outcomes).reduce((sum, n) => sum + n, 0)
  const status = scopes === 0 ? 'failed' : runStatus(outcomes)
  return status === 'completed' ? 'incomplete' : status
}

const importance: ReadonlyArray<RunJob['state']> = ['failed', 'retrying', 'running', 'queued', 'cancelled', 'done']

function stateOf({ state, error, tries }: JobRecord, { completed, cancel_requested }: Run): RunJob['state'] {
  if (state === 'ended') {
    if (error !== '') return 'failed'
    return cancel_requested && tries === 0 ? 'cancelled' : 'done'
  }
  if (completed !== null) return 'cancelled'
  return state === 'expected' ? 'queued' : state
}

/** No scope of any outcome. */
export const noOutcomes = Object.fromEntries(scopeOutcomes.map((outcome) => [outcome, 0])) as OutcomeCounts & {
  [K in keyof OutcomeCounts]: number
} // border: fromEntries forgets the names
