import { logFields, logLine } from '@netbox-pbs/app-shell'
import type { Resource, RunMode } from '@netbox-pbs/core'
import { Runs, SettingsStore, Source, StoreFailed } from '@netbox-pbs/core/ports'
import {
  Database,
  inventoryLayer,
  migrate,
  queueLayer,
  secretBoxLayer,
  settingsLayer,
} from '@netbox-pbs/store-postgres'
import { startRun } from '@netbox-pbs/sync'
import { type FleetServer, fleetFrames } from '@netbox-pbs/sync/memory'
import {
  type Attempt,
  allCases,
  caseTitle,
  type FaultedWork,
  someCases,
  withFault,
  withoutFault,
} from '@netbox-pbs/testing'
import { Cause, Effect, Exit, Layer, Logger, ManagedRuntime, Option, Redacted, Stream } from 'effect'
import { expect, test } from 'vitest'
import { tick } from '../src/index.ts'

const hours = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, hour) => hour)
const server = (datastores: FleetServer['datastores'], tasks: FleetServer['tasks'] = []): FleetServer => ({
  name: 'pbs-a',
  endpointId: 1,
  datastores,
  jobs: { gc: Object.keys(datastores) },
  tasks,
})
const first = server({
  tank: { namespaces: { '': { 'vm/1': hours(3), 'vm/2': hours(2) }, a: { 'ct/3': hours(12) } } },
  pond: { namespaces: { '': { 'vm/9': [1] } } },
})
/** A new and a removed snapshot, a new guest, a changed comment, a new task. */
const second = server(
  {
    tank: {
      comment: 'changed',
      namespaces: { '': { 'vm/1': [0, 2, 7], 'vm/2': hours(2), 'vm/5': [1] }, a: { 'ct/3': hours(13) } },
    },
    pond: { namespaces: { '': { 'vm/9': [1] } } },
  },
  [{ start: 1_767_229_000, end: 1_767_229_100 }],
)
const everything = ['servers', 'datastores', 'snapshots', 'jobs', 'tasks'] as const

const sourceOf = (fleet: ReadonlyArray<FleetServer>) =>
  Layer.succeed(Source, {
    frames: (request) =>
      Stream.suspend(() => Stream.fromIterable(fleetFrames(fleet, request))).pipe(
        Stream.flatMap((item) => (Effect.isEffect(item) ? Stream.drain(Stream.fromEffect(item)) : Stream.make(item))),
      ),
  })
const box = secretBoxLayer({ key: Redacted.make(Buffer.alloc(32, 7).toString('base64')), keyName: 'TEST_KEY' })
const systemOn = (url: string, fleet: ReadonlyArray<FleetServer>) =>
  Layer.mergeAll(inventoryLayer, queueLayer, settingsLayer).pipe(
    Layer.provideMerge(
      Layer.orDie(
        Database.layerPg({ url: Redacted.make(url), poolSize: 8, patienceMillis: 100, abandonedMillis: 2000 }),
      ),
    ),
    Layer.provide(box),
    Layer.merge(sourceOf(fleet)),
  )
type System = Layer.Layer.Success<ReturnType<typeof systemOn>>

const started = (resources: ReadonlyArray<Resource>, mode: RunMode) =>
  Effect.map(startRun({ resources, servers: null, trigger: 'manual', user: 'admin', mode }), ({ id }) => id)

/** Lets jobs that wait for their next try, or for a worker that is gone, be taken now. */
const hurry = Effect.flatMap(Database, (database) =>
  database.query('hurrying', async () => {
    if (database.driver._tag !== 'pg') throw new Error('not PostgreSQL')
    await database.driver.pool.query(
      `update pgboss.job set state = case when state = 'active' then 'retry' else state end, start_after = now() where state < 'completed'`,
    )
  }),
)

const isOver = (status: string): boolean => status !== 'pending' && status !== 'running'

/** Ticks that fail one after the other until the worker's attempt counts as failed. */
const patience = 3

/** Works until the run is over, as a worker does that waits a little after each failure. */
const workOn = (runId: number): Effect.Effect<Attempt, never, System> =>
  Effect.gen(function* () {
    let failures = 0
    let sentence = ''
    while (failures < patience) {
      const exit = yield* Effect.exit(
        Effect.gen(function* () {
          const worked = yield* tick
          const run = yield* Effect.flatten(yield* Effect.map(Runs, (runs) => runs.get({ id: runId })))
          if (!worked && !isOver(run.status)) yield* hurry
          return run
        }),
      )
      if (Exit.isSuccess(exit)) {
        failures = 0
        const { status, error } = exit.value
        if (isOver(status))
          return status === 'failed' || error !== '' ? { ended: 'failed', sentence: error } : { ended: 'done' }
      } else {
        const failure = Cause.failureOption(exit.cause)
        if (Option.isNone(failure)) return yield* Effect.die(Cause.squash(exit.cause))
        failures += 1
        sentence = failure.value instanceof StoreFailed ? failure.value.message : String(failure.value)
      }
    }
    return { ended: 'failed', sentence }
  })

interface RunWork {
  readonly name: string
  readonly resources: ReadonlyArray<Resource>
  readonly mode?: RunMode
  readonly fleet: FleetServer
  /** After the first run. */
  readonly before?: Effect.Effect<unknown, unknown, System>
}

const syncOnce = (fleet: FleetServer, resources: ReadonlyArray<Resource>) => (url: string) =>
  Effect.runPromise(
    Effect.flatMap(started(resources, 'full'), workOn).pipe(Effect.provide(systemOn(url, [fleet])), Effect.scoped),
  )

const faultedRun = ({ name, resources, mode = 'full', fleet, before = Effect.void }: RunWork): FaultedWork => ({
  name,
  staging: null,
  history: ['runs', 'run_', 'held_deletions_runs', 'scopes'],
  template: {
    name: `worker-${name.slice(-24)}`,
    prepare: async (url) => {
      await Effect.runPromise(Effect.provide(migrate, systemOn(url, [])))
      await syncOnce(first, everything)(url)
      await Effect.runPromise(Effect.scoped(Effect.provide(before, systemOn(url, [first]))))
    },
  },
  open: async (url) => {
    const lines: Array<string> = []
    const logger = Logger.replace(
      Logger.defaultLogger,
      Logger.make((event) => void lines.push(logLine(logFields(event), 'text'))),
    )
    const runtime = ManagedRuntime.make(Layer.provideMerge(systemOn(url, [fleet]), logger))
    let run: number | null = await runtime.runPromise(started(resources, mode))
    return {
      attempt: async () => {
        const starting = run === null ? started(resources, mode) : Effect.succeed(run)
        const exit = await runtime.runPromiseExit(Effect.flatMap(starting, workOn))
        if (Exit.isFailure(exit)) {
          const failure = Cause.failureOption(exit.cause)
          if (Option.isNone(failure)) throw new Error(Cause.pretty(exit.cause))
          return { ended: 'failed', sentence: failure.value.message }
        }
        // A run that has ended with an error is followed by the next one.
        run = await runtime
          .runPromise(Effect.flatMap(Runs, (runs) => runs.get({ id: run ?? 0 })))
          .then((found) => (Option.exists(found, ({ status }) => isOver(status)) ? null : run))
          .catch(() => run)
        return exit.value
      },
      log: () => lines,
      close: () => runtime.dispose(),
    }
  },
})

const withBranches = Effect.flatMap(SettingsStore, (settings) => settings.update({ branching_enabled: true }))

const works: ReadonlyArray<RunWork> = [
  { name: 'a full run', resources: ['datastores', 'snapshots', 'jobs', 'tasks'], fleet: second },
  { name: 'a run that begins with the servers', resources: ['servers', 'snapshots'], fleet: second },
  { name: 'a light run', resources: ['snapshots', 'tasks'], mode: 'light', fleet: second },
  { name: 'a run that is merged from a branch', resources: ['snapshots'], fleet: second, before: withBranches },
]

/** Every fault at every statement with NETBOX_PBS_FAULTS=all (`pnpm faults`); else the loss of the answer to each run's last commit. */
const all = process.env['NETBOX_PBS_FAULTS'] === 'all'
/** Only what hangs is ended: a busy machine takes ten times as long as a quiet one. */
const timeout = all ? 14_400_000 : 600_000

test.each(works.map((work, nth) => [work.name, work, nth] as const))(
  'a fault between a worker and PostgreSQL in %s',
  async (_, work, nth) => {
    const faulted = faultedRun(work)
    const expected = await withoutFault(faulted)
    const cases = all ? allCases(expected) : someCases(expected, 1, nth)
    const found: Array<string> = []
    for (const one of cases)
      for (const fault of await withFault(faulted, expected, one)) found.push(`${caseTitle(expected, one)}\n  ${fault}`)
    expect(found).toEqual([])
  },
  timeout,
)
