import type { Socket } from 'node:net'
import { Client, type ClientBase, type ClientConfig, type QueryResult } from 'pg'
import type { ControlConnections } from './control-connections.ts'
import { StatementStopped, scopeOfStatement } from './statement-scope.ts'
import { isReadOnly } from './store-errors.ts'

/** How the connections of a pool are watched. */
export interface WatchOptions {
  readonly control: ControlConnections
  /**
   * Milliseconds without a reply after which PostgreSQL is asked whether it still runs the
   * statement, and again each time they have passed.
   */
  readonly patienceMillis: number
  /** Milliseconds that a cancelled statement has to end before its connection is closed; 2000. */
  readonly graceMillis?: number
  /** Called when a connection that no longer answers is closed. */
  readonly onLost: () => void
  /** Called when a connection is closed because it leads to a database that can only be read. */
  readonly onReadOnly?: () => void
}

/** Times in a row that PostgreSQL cannot be asked before a silent connection counts as lost. */
const unknownsAllowed = 2

/** Milliseconds that the reply of an ended statement may take to arrive. */
const replyMillis = 1000

/** Milliseconds after which a statement that was cancelled and has not ended is cancelled again. */
const cancelAgainMillis = 250

/** PostgreSQL's own number of each session, which differs from the one that a pooling proxy announces. */
const sessions = new WeakMap<object, number>()

/** Learns a new connection's session, so that its statements can be cancelled and looked up. */
export async function learnSession(client: ClientBase): Promise<void> {
  const result: Partial<QueryResult<{ pid: number }>> = await client.query('select pg_backend_pid() as pid')
  // A server too old to be used may answer anything; it is refused once its version is known.
  const session = result.rows?.[0]
  if (session !== undefined) sessions.set(client, session.pid)
}

type Done = (cause: Error | null, result?: QueryResult) => void
type Send = (statement: unknown, values?: unknown, done?: Done) => Promise<QueryResult> | undefined

/**
 * A connection whose statements always end: one is cancelled in PostgreSQL when its caller leaves
 * or when it exceeds the limit of its scope. The connection is closed when PostgreSQL runs nothing
 * for it and yet no reply comes; while PostgreSQL runs a statement, there is no other limit.
 */
export function watchedClient(options: WatchOptions): typeof Client {
  return class WatchedClient extends Client {
    constructor(config?: string | ClientConfig) {
      super(config)
      const send = this.query.bind(this) as Send
      const query: Send = (statement, values, last) => {
        // The reader or writer of a stream, such as that of a COPY, watches it.
        if (isStream(statement)) return send(statement, values, last)
        // The pool passes a callback, after the values or in their place.
        const [given, done] = typeof values === 'function' ? [undefined, values as Done] : [values, last]
        const result = watched(this, async () => send(statement, given), options)
        if (done === undefined) return result
        result.then(
          (value) => done(null, value),
          (cause: Error) => done(cause),
        )
        return undefined
      }
      this.query = query as typeof this.query
    }
  }
}

const isStream = (statement: unknown): boolean =>
  typeof statement === 'object' && statement !== null && 'submit' in statement && typeof statement.submit === 'function'

async function watched(
  client: Client,
  send: () => Promise<QueryResult | undefined>,
  { control, patienceMillis, graceMillis = 2000, onLost, onReadOnly }: WatchOptions,
): Promise<QueryResult> {
  const scope = scopeOfStatement()
  const timers: Array<NodeJS.Timeout> = []
  let over = false
  let stopped: StatementStopped | null = null
  let cancelled: Promise<void> = Promise.resolve()

  const after = (millis: number, work: () => void) => timers.push(setTimeout(work, millis))
  const close = () => {
    if (over) return
    over = true
    onLost()
    closeAtOnce(client)
  }
  // Sent again until the statement ends: a session that has not yet begun it ignores the request.
  const cancel = (session: number): void => {
    cancelled = control.cancel(session).then(() => {
      if (!over) after(cancelAgainMillis, () => cancel(session))
    })
  }
  const stop = (reason: StatementStopped['reason']) => {
    if (over || stopped !== null) return
    stopped = new StatementStopped(reason)
    const session = sessions.get(client)
    if (session !== undefined) cancel(session)
    after(graceMillis, close)
  }
  const look = async (unknowns: number, idle = false): Promise<void> => {
    const session = sessions.get(client)
    const state = session === undefined ? 'unknown' : await control.stateOf(session)
    if (over) return
    if ((state === 'other' && idle) || unknowns >= unknownsAllowed) return close()
    // The reply of a statement that has just ended may still be under way.
    const pause = state === 'other' ? Math.min(patienceMillis, replyMillis) : patienceMillis
    after(pause, () => void look(state === 'unknown' ? unknowns + 1 : 0, state === 'other'))
  }
  const abandoned = () => stop('abandoned')

  scope?.signal.addEventListener('abort', abandoned)
  if (typeof scope?.limitMillis === 'number') after(scope.limitMillis, () => stop('limit'))
  after(patienceMillis, () => void look(0))
  try {
    const result = await send()
    if (result === undefined) throw new TypeError('a statement without a promise cannot be watched')
    return result
  } catch (cause) {
    // After a failover the address leads elsewhere, but a session stays with the server that it began on.
    if (isReadOnly(cause)) {
      closeAtOnce(client)
      onReadOnly?.()
    }
    throw stopped ?? cause
  } finally {
    const closed = over
    over = true
    for (const timer of timers) clearTimeout(timer)
    scope?.signal.removeEventListener('abort', abandoned)
    // A request to cancel that is still under way must not strike the connection's next statement.
    if (!closed) await cancelled
  }
}

/**
 * Closes a connection without waiting for its peer, for which the driver has no public way. A pool
 * forgets one that ends with an error before it gives it out again.
 */
export function closeAtOnce(client: ClientBase, error?: Error): void {
  ;(client as ClientBase & { readonly connection: { readonly stream: Socket } }).connection.stream.destroy(error)
}
