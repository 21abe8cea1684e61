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
import { Clock, Effect, Layer, Option } from 'effect'

/** A run as the fake keeps it. */
export class RunRecord {
  readonly results = new Map<string, ScopeResult>()
  readonly expected = new Set<string | null>()
  readonly warnings: Array<Warning> = []
  run: Run

  constructor(run: Run) {
    this.run = run
  }

  get outcomes(): ReadonlyArray<ScopeResult> {
    return [...this.results.values()]
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

/** `Runs` in memory. */
export const runsLayer = (records: Map<number, RunRecord>) => {
  const update = (id: number, change: (record: RunRecord) => Partial<Run>) =>
    Effect.sync(() => {
      const record = records.get(id)
      if (record === undefined) throw new Error(`no run ${id}`)
      record.run = { ...record.run, ...change(record) }
      return record.run
    })
  const all = () => [...records.values()].map(({ run }) => run).reverse()
  return Layer.succeed(Runs, {
    create: ({ resources, servers, narrowing = null, trigger, user }) =>
      Effect.map(Clock.currentTimeMillis, (millis) => {
        const id = records.size + 1
        const run: Run = {
          id,
          status: 'pending',
          resources,
          servers,
          narrowing,
          trigger,
          user,
          created: new Date(millis).toISOString(),
          started: null,
          completed: null,
          counts: noRows,
          outcomes: noOutcomes,
          rows_read: 0,
          error: '',
          cancel_requested: false,
        }
        records.set(id, new RunRecord(run))
        return run
      }),
    get: ({ id }) => Effect.sync(() => Option.map(Option.fromNullable(records.get(id)), ({ run }) => run)),
    list: ({ limit, offset }) =>
      Effect.sync(() => ({ count: records.size, rows: all().slice(offset, offset + limit) })),
    scopes: ({ id }) =>
      Effect.sync(() => {
        const rows = records.get(id)?.outcomes ?? []
        return { count: rows.length, rows }
      }),
    warnings: ({ id }) => Effect.sync(() => records.get(id)?.warnings ?? []),
    expectJobs: ({ id, servers }) =>
      Effect.asVoid(
        update(id, ({ expected }) => {
          for (const server of servers) expected.add(server)
          return {}
        }),
      ),
    startJob: ({ id }) => Effect.asVoid(update(id, () => ({ status: 'running' }))),
    endJob: ({ id, server, error }) =>
      update(id, ({ expected, run, results }) => {
        expected.delete(server)
        const text = error ?? run.error
        if (expected.size > 0) return { error: text }
        const status = results.size === 0 && text !== '' ? 'failed' : runStatus(run.outcomes)
        return { error: text, status, completed: '2026-05-01T03:00:00Z' }
      }),
    recordScope: ({ id, result }) =>
      Effect.asVoid(
        update(id, ({ results }) => {
          const key = scopeKey(result.scope)
          const landedBefore = results.get(key)?.outcome === 'landed' && result.outcome === 'unchanged'
          if (!landedBefore) results.set(key, result)
          const outcomes = { ...noOutcomes }
          for (const { outcome } of results.values()) outcomes[outcome]++
          return { outcomes, counts: [...results.values()].reduce((sum, { counts }) => addRows(sum, counts), noRows) }
        }),
      ),
    warn: ({ id, warnings }) =>
      Effect.asVoid(
        update(id, (record) => {
          record.warnings.push(...warnings)
          return {}
        }),
      ),
    progress: ({ id, rowsRead }) => Effect.asVoid(update(id, () => ({ rows_read: rowsRead }))),
    requestCancel: ({ id }) =>
      Effect.map(
        update(id, () => ({ cancel_requested: true })),
        Option.some,
      ),
    cancelRequested: ({ id }) => Effect.sync(() => records.get(id)?.run.cancel_requested ?? false),
  })
}

const noOutcomes = Object.fromEntries(scopeOutcomes.map((outcome) => [outcome, 0])) as OutcomeCounts & {
  [K in keyof OutcomeCounts]: number
} // border: fromEntries forgets the names
