import { AsyncLocalStorage } from 'node:async_hooks'

/** The limits of the statements of one piece of work. */
export interface StatementScope {
  /** Aborted when no caller waits for the result any more. */
  readonly signal: AbortSignal
  /** Milliseconds that one statement may take; null: no limit. */
  readonly limitMillis: number | null
}

/** A statement was stopped: it took longer than its limit, or its caller had left. */
export class StatementStopped extends Error {
  readonly reason: 'limit' | 'abandoned'
  constructor(reason: StatementStopped['reason']) {
    super(reason === 'limit' ? 'the statement took longer than its limit' : 'the caller of the statement has left')
    this.reason = reason
  }
}

// Kysely passes nothing from the caller to the driver's connection, but an asynchronous context
// does.
const scopes = new AsyncLocalStorage<StatementScope>()

/** Runs work whose statements the scope bounds. */
export const inScope = <A>(scope: StatementScope, work: () => A): A => scopes.run(scope, work)

/** Runs work that belongs to no caller, such as preparing a connection. */
export const outOfScope = <A>(work: () => A): A => scopes.exit(work)

/**
 * The limits of the statement that is about to be sent; undefined: none. Throws `StatementStopped`
 * when its caller has left.
 */
export function scopeOfStatement(): StatementScope | undefined {
  const scope = scopes.getStore()
  if (scope?.signal.aborted === true) throw new StatementStopped('abandoned')
  return scope
}
