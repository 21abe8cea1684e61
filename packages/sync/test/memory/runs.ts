import {
  addRows,
  noRows,
  type OutcomeCounts,
  type Run,
  runStatus,
  type ScopeResult,
  scopeKey,
  scopeOutcomes,
  scopeTitle,
  type Warning,
} from '@netbox-pbs/core'
import { Runs } from '@netbox-pbs/core/ports'
import { Clock, Effect, Layer, Option, Stream } from 'effect'
import type { World } from './world.ts'

/** A run as the fake keeps it. */
export class RunRecord {
  readonly results = new Map<string, ScopeResult>()
  readonly expected = new Set<number | null>()
  readonly ended = new Set<number | null>()
  readonly warnings: Array<Warning> = []
  /** What tries failed with, in order, after the server's name. */
  readonly retried: Array<string> = []
  run: Run

  constructor(run: Run) {
    this.run = run
  }

  get outcomes(): ReadonlyArray<ScopeResult> {
    return [...this.results.values()]
  }

  recordScope(result: ScopeResult): void {
    const key = scopeKey(result.scope)
    const earlier = this.results.get(key)
    if (earlier?.outcome !== 'landed' || result.outcome !== 'unchanged') {
      const { created, updated, deleted } =
        earlier === undefined || earlier.outcome === 'staged' ? noRows : earlier.counts
      const counts = addRows(result.counts, { ...noRows, created, updated, deleted })
      this.results.set(key, { ...result, counts })
    }
    const outcomes = { ...noOutcomes }
    for (const { outcome } of this.results.values()) outcomes[outcome]++
    const sum = (staged: boolean) =>
      this.outcomes
        .filter(({ outcome }) => (outcome === 'staged') === staged)
        .reduce((rows, one) => addRows(rows, one.counts), noRows)
    const { created, updated, deleted, ...rest } = sum(true)
    const counts = addRows(sum(false), { ...noRows, ...rest })
    this.run = { ...this.run, outcomes, counts, staged: { created, updated, deleted } }
  }

  /** How each scope ended that did not end unchanged, in words. */
  get ends(): ReadonlyArray<string> {
    return this.outcomes
      .filter(({ outcome }) => outcome !== 'unchanged')
      .map(({ scope, outcome, reason }) =>
        [scopeTitle(scope), outcome, ...(reason === null ? [] : [reason.code])].join(': '),
      )
  }
}

/** What a run ends as. */
function endOf({ cancel_requested, outcomes }: Run, { scopes, error }: { scopes: number; error: string }) {
  if (cancel_requested) return 'cancelled'
  if (error === '') return runStatus(outcomes)
  const status = scopes === 0 ? 'failed' : runStatus(outcomes)
  return status === 'completed' ? 'incomplete' : status
}

/** `Runs` in memory. */
export const runsLayer = (records: Map<number, RunRecord>, world: World) => {
  const known = (name: string) => {
    const id = world.serverId(name)
    return id < 0 ? null : id
  }
  const nameOf = (serverId: number | null) => (serverId === null ? null : (world.names.get(serverId) ?? null))
  const update = (id: number, change: (record: RunRecord) => Partial<Run>) =>
    Effect.sync(() => {
      const record = records.get(id)
      if (record === undefined) throw new Error(`no run ${id}`)
      record.run = { ...record.run, ...change(record) }
      return record.run
    })
  /** A run with the names that its servers have now. */
  const renamed = (run: Run): Run => ({
    ...run,
    servers: run.servers?.map((name, nth) => nameOf(run.serverIds?.[nth] ?? null) ?? name) ?? null,
  })
  const all = () => [...records.values()].map(({ run }) => run).reverse()
  return Layer.succeed(Runs, {
    create: ({ resources, servers, scope_filter = null, trigger, user }) =>
      Effect.map(Clock.currentTimeMillis, (millis) => {
        const id = records.size + 1
        const run: Run = {
          id,
          status: 'pending',
          resources,
          servers: servers?.map((chosen) => (typeof chosen === 'string' ? chosen : (nameOf(chosen) ?? ''))) ?? null,
          serverIds: servers?.map((chosen) => (typeof chosen === 'string' ? known(chosen) : chosen)) ?? null,
          scope_filter,
          trigger,
          user,
          created: new Date(millis).toISOString(),
          started: null,
          completed: null,
          counts: noRows,
          staged: { created: 0, updated: 0, deleted: 0 },
          outcomes: noOutcomes,
          rows_read: 0,
          error: '',
          cancel_requested: false,
        }
        records.set(id, new RunRecord(run))
        return run
      }),
    get: ({ id }) => Effect.sync(() => Option.map(Option.fromNullable(records.get(id)), ({ run }) => renamed(run))),
    list: ({ filter: { statuses, triggers } = {}, limit, offset }) =>
      Effect.sync(() => {
        const chosen = all().filter(
          ({ status, trigger }) => (statuses?.includes(status) ?? true) && (triggers?.includes(trigger) ?? true),
        )
        return { count: chosen.length, rows: chosen.slice(offset, offset + limit) }
      }),
    scopes: ({ id }) =>
      Effect.sync(() => {
        const rows = records.get(id)?.outcomes ?? []
        return { count: rows.length, rows }
      }),
    warnings: ({ id }) => Effect.sync(() => records.get(id)?.warnings ?? []),
    jobs: () => Effect.dieMessage('no test in memory reads the jobs of a run'),
    retryJob: ({ id, serverId, reason }) =>
      Effect.asVoid(
        update(id, ({ retried }) => {
          retried.push(`${nameOf(serverId) ?? 'the gateway'}: ${reason}`)
          return {}
        }),
      ),
    openJobs: ({ before }) =>
      Stream.suspend(() =>
        Stream.fromIterable(
          [...records.values()]
            .filter(({ run }) => run.completed === null && Date.parse(run.created) < Date.parse(before))
            .flatMap(({ run, expected, ended }) => {
              const servers = expected.size + ended.size === 0 ? [null] : [...expected]
              return servers.map((serverId) => ({ runId: run.id, serverId, server: nameOf(serverId) }))
            }),
        ),
      ),
    expectJobs: ({ id, serverIds }) =>
      Effect.asVoid(
        update(id, ({ expected }) => {
          for (const serverId of serverIds) expected.add(serverId)
          return {}
        }),
      ),
    startJob: ({ id, serverId }) =>
      Effect.sync(() => {
        const record = records.get(id)
        if (record === undefined || record.run.completed !== null || record.ended.has(serverId)) return false
        record.run = { ...record.run, status: 'running' }
        return true
      }),
    endJob: ({ id, serverId, error }) =>
      update(id, ({ expected, ended, run }) => {
        if (run.completed !== null) return {}
        expected.delete(serverId)
        ended.add(serverId)
        return { error: error ?? run.error }
      }).pipe(
        Effect.map((run) => ({ run, jobsLeft: run.completed === null && (records.get(id)?.expected.size ?? 0) > 0 })),
      ),
    withoutJobs: ({ before }) =>
      Effect.sync(() =>
        [...records.values()]
          .filter(({ run, expected, ended }) => run.completed === null && expected.size === 0 && ended.size > 0)
          .filter(({ run }) => Date.parse(run.created) < Date.parse(before))
          .map(({ run }) => run.id),
      ),
    end: ({ id, error }) =>
      update(id, ({ expected, run, results }) => {
        if (run.completed !== null || expected.size > 0) return {}
        const text = error ?? run.error
        const status = endOf(run, { scopes: results.size, error: text })
        return { error: text, status, completed: '2026-05-01T03:00:00Z' }
      }),
    recordUnopened: ({ id, results }) =>
      Effect.sync(() => {
        for (const result of results) records.get(id)?.recordScope(result)
      }),
    recordScope: ({ id, result }) => Effect.sync(() => records.get(id)?.recordScope(result)),
    warn: ({ id, warnings }) =>
      Effect.asVoid(
        update(id, (record) => {
          record.warnings.push(...warnings)
          return {}
        }),
      ),
    progress: ({ id, rowsRead }) => Effect.asVoid(update(id, () => ({ rows_read: rowsRead }))),
    requestCancel: ({ id }) =>
      records.get(id) === undefined
        ? Effect.succeedNone
        : Effect.map(
            update(id, ({ run }) => ({
              cancel_requested: true,
              ...(run.status === 'pending' ? { status: 'cancelled' as const, completed: '2026-05-01T03:00:00Z' } : {}),
            })),
            Option.some,
          ),
    cancelRequested: ({ id }) => Effect.sync(() => records.get(id)?.run.cancel_requested ?? false),
  })
}

const noOutcomes = Object.fromEntries(scopeOutcomes.map((outcome) => [outcome, 0])) as OutcomeCounts & {
  [K in keyof OutcomeCounts]: number
} // border: fromEntries forgets the names
