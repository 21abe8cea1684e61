import { noRows, type Resource, type Run, type Scope, type ScopeOutcome, type ScopeResult } from '@netbox-pbs/core'
import { Runs } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { beforeAll } from 'vitest'

/** Records of runs under test, and the servers that they name. Other runs may be recorded already. */
export interface RunsUnderTest {
  readonly run: <A, E>(effect: Effect.Effect<A, E, Runs>) => Promise<A>
  /** Adds a server to main and returns its id. */
  readonly addServer: (name: string) => Promise<number>
  readonly renameServer: (id: number, name: string) => Promise<unknown>
  readonly removeServer: (id: number) => Promise<unknown>
}

/** A scope of the snapshots in a namespace of `pbs-a`. */
export const snapshotsIn = (namespace: string): Scope => ({
  resource: 'snapshots',
  server: 'pbs-a',
  datastore: 'tank',
  namespace,
})

/** How such a scope ended. */
export const ended = (namespace: string, outcome: ScopeOutcome, counts: Partial<typeof noRows> = {}): ScopeResult => ({
  scope: snapshotsIn(namespace),
  outcome,
  reason: outcome === 'failed' ? { code: 'timeout', message: 'took too long' } : null,
  counts: { ...noRows, ...counts },
  started: '2026-05-01T02:00:00Z',
  ended: '2026-05-01T02:00:01.500000Z',
})

/** The calls that the suites of runs make to their port. */
export const runDriver = ({ run, addServer }: RunsUnderTest) => {
  const runs = <A, E>(use: (runs: typeof Runs.Service) => Effect.Effect<A, E>) => run(Effect.flatMap(Runs, use))
  /** Ids of servers, by the end of their names; they are added before the first test. */
  const ids = { a: 0, b: 0, c: 0, d: 0, z: 0 }
  beforeAll(async () => {
    for (const end of ['a', 'b', 'c', 'd', 'z'] as const) ids[end] = await addServer(`pbs-${end}`)
  })
  const create = (...resources: ReadonlyArray<Resource>): Promise<Run> =>
    runs((r) =>
      r.create({
        resources: resources.length === 0 ? ['snapshots'] : resources,
        servers: null,
        trigger: 'manual',
        user: 'ada',
      }),
    )
  /** A run whose jobs have all begun. */
  const started = async (...servers: ReadonlyArray<number | null>): Promise<number> => {
    const { id } = await create()
    await runs((r) => r.expectJobs({ id, serverIds: servers }))
    for (const server of servers) await runs((r) => r.startJob({ id, serverId: server }))
    return id
  }
  const record = (id: number, ...results: ReadonlyArray<ScopeResult>) =>
    runs((r) => Effect.forEach(results, (result) => r.recordScope({ id, serverId: ids.a, result })))
  const endJob = (id: number, serverId: number | null = ids.a, error: string | null = null) =>
    runs((r) => r.endJob({ id, serverId, error }))
  const endRun = (id: number, error: string | null = null) => runs((r) => r.end({ id, error }))
  /** A job ends, and the run if it was the last. */
  const end = async (...job: Parameters<typeof endJob>): Promise<Run> => {
    const { run: after, jobsLeft } = await endJob(...job)
    return jobsLeft ? after : await endRun(after.id)
  }
  const get = async (id: number): Promise<Run> => Option.getOrThrow(await runs((r) => r.get({ id })))
  return { runs, ids, create, started, record, endJob, endRun, end, get }
}
