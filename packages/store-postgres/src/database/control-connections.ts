import { Pool, type PoolConfig } from 'pg'

/**
 * The state of a session that runs a statement: `other` when it is idle or closed, `unknown` when
 * PostgreSQL cannot be asked.
 */
export type SessionState = 'active' | 'other' | 'unknown'

/** Asks PostgreSQL about its other sessions, over connections of its own. */
export interface ControlConnections {
  /** Asks PostgreSQL to cancel the statement of a session. Never rejects: a lost request changes nothing. */
  readonly cancel: (pid: number) => Promise<void>
  /** Whether a session still runs its statement. */
  readonly stateOf: (pid: number) => Promise<SessionState>
  readonly end: () => Promise<void>
}

/** Milliseconds that connecting and asking may take each. */
const patience = 5000

/** At most two connections, opened when they are needed and closed soon after, so that an idle one cannot be frozen. */
export function controlConnections(config: PoolConfig): ControlConnections {
  const pool = new Pool({
    ...config,
    max: 2,
    connectionTimeoutMillis: patience,
    query_timeout: patience,
    idleTimeoutMillis: 1000,
  })
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  return {
    cancel: async (pid) => {
      await pool.query('select pg_cancel_backend($1::integer)', [pid]).catch(() => undefined)
    },
    stateOf: async (pid) => {
      try {
        const { rowCount } = await pool.query(
          "select from pg_stat_activity where pid = $1::integer and state = 'active'",
          [pid],
        )
        return rowCount === 0 ? 'other' : 'active'
      } catch {
        return 'unknown'
      }
    },
    end: () => pool.end(),
  }
}
