import { type ScopeResult, scopeTitle } from '@netbox-pbs/core'
import { type Landing, StoreFailed } from '@netbox-pbs/core/ports'
import type { Attempt, FaultedWork } from '@netbox-pbs/testing'
import { Cause, Effect, Exit, Layer, Logger, ManagedRuntime, Option, Redacted } from 'effect'
import { Database } from '../../src/database/database.ts'
import { migrate } from '../../src/migrations/migrate.ts'
import { inventoryLayer } from '../../src/ports/inventory-layer.ts'

type Services = Layer.Layer.Success<typeof inventoryLayer> | Database

/** A work of the store, as its caller does it. */
export interface StoreWork {
  readonly name: string
  /** What the database has before. */
  readonly before: Effect.Effect<unknown, unknown, Services>
  /** Prepares the work in a session of its own, and gives it. Every attempt does it once. */
  readonly ready: Effect.Effect<Effect.Effect<unknown, { readonly _tag: string }, Services>, unknown, Services>
  /** Tags of errors by which a caller learns that an earlier attempt has done it. */
  readonly already?: ReadonlyArray<string>
  /** Whether staged rows may stay at the end: the next change set clears them. */
  readonly leavesStaged?: true
}

const staged = ['staged_', 'change_set']

const layerOn = (url: string, patienceMillis?: number) =>
  Layer.provideMerge(
    inventoryLayer,
    Layer.orDie(
      Database.layerPg({
        url: Redacted.make(url),
        poolSize: 4,
        ...(patienceMillis === undefined ? {} : { patienceMillis, abandonedMillis: 20 * patienceMillis }),
      }),
    ),
  )

/** How an attempt ended: an error that is not the store's, and any defect, is the test's failure. */
function attemptOf(exit: Exit.Exit<unknown, { readonly _tag: string }>, already: ReadonlyArray<string>): Attempt {
  if (Exit.isSuccess(exit)) return { ended: 'done' }
  const failure = Cause.failureOption(exit.cause)
  if (Option.isNone(failure)) throw new Error(`a defect: ${Cause.pretty(exit.cause)}`)
  const error = failure.value
  if (already.includes(error._tag)) return { ended: 'already' }
  if (error instanceof StoreFailed) return { ended: 'failed', sentence: error.message }
  throw new Error(`an error that the caller does not expect: ${error._tag}`)
}

/** The work as faults are put into it: on PostgreSQL, with a process of its own for each fault. */
export const faultedWork = ({ name, before, ready, already = [], leavesStaged }: StoreWork): FaultedWork => ({
  name,
  staging: staged,
  history: leavesStaged === true ? staged : [],
  template: {
    name: `faults-${name.slice(-24)}`,
    prepare: async (url) => {
      await Effect.runPromise(Effect.scoped(Effect.provide(Effect.zipRight(migrate, before), layerOn(url))))
    },
  },
  open: async (url) => {
    const lines: Array<string> = []
    const logger = Logger.replace(
      Logger.defaultLogger,
      Logger.map(Logger.logfmtLogger, (line) => void lines.push(line)),
    )
    const runtime = ManagedRuntime.make(Layer.provideMerge(layerOn(url, 100), logger))
    const work = await runtime.runPromise(ready)
    return {
      attempt: async () => attemptOf(await runtime.runPromiseExit(work), already),
      log: () => lines,
      close: () => runtime.dispose(),
    }
  },
})

/** The record of a run about a scope that lands or is staged. */
export const recordOf = (
  serverId: number,
  { scope, outcome }: Pick<ScopeResult, 'scope' | 'outcome'>,
): Landing['record'] => ({
  serverId,
  result: (counts): ScopeResult => ({
    scope,
    outcome,
    reason: { code: 'test', message: scopeTitle(scope) },
    counts: { ...counts, unchanged: 0 },
    started: '2026-06-01T00:00:00Z',
    ended: '2026-06-01T00:00:00Z',
  }),
})
