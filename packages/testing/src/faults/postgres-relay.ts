import { once } from 'node:events'
import { createServer } from 'node:net'
import type { DatabaseFault } from './database-faults.ts'
import { RelayedConnection, type Statement } from './relayed-connection.ts'

/** A fault, and the statement that it meets. */
export interface PlannedFault {
  /** Which of the counted statements; the first is 1. */
  readonly at: number
  readonly fault: DatabaseFault
}

/** A relay between clients and a PostgreSQL server that counts statements and breaks one of them. */
export interface PostgresRelay {
  /** The database's URL by way of the relay. */
  readonly url: string
  /** Counts from now on, and meets the planned statement with its fault. */
  readonly watch: (plan?: PlannedFault) => void
  /** The statements counted since `watch`. */
  readonly statements: () => ReadonlyArray<Statement>
  /** Whether the fault has happened. */
  readonly struck: () => boolean
  /**
   * Ends what the fault has left: connections are accepted again, and silent ones are closed. Gives
   * the URL of the database behind the relay, which a failover changes.
   */
  readonly heal: () => Promise<string>
  readonly stop: () => Promise<void>
}

/** Statements that say how a connection is doing, and none of the work. */
const isOfControl = ({ applicationName }: Statement): boolean => applicationName.endsWith(' control')

/** Starts a relay on a free port of 127.0.0.1. */
export async function postgresRelay(target: string): Promise<PostgresRelay> {
  let destination = Promise.resolve(target)
  const connections = new Set<RelayedConnection>()
  let plan: PlannedFault | undefined
  let counted: Array<Statement> = []
  let struck = false
  let refused = false
  let healing: () => Promise<void> = async () => undefined

  const meet = (statement: Statement): DatabaseFault | null => {
    if (isOfControl(statement)) return null
    counted.push(statement)
    if (struck || plan === undefined || counted.length !== plan.at) return null
    struck = true
    const { fault } = plan
    if (fault.kind === 'refusal') refused = true
    if (fault.kind === 'move') {
      for (const connection of connections) connection.cut()
      destination = fault.move(target).then((moved) => {
        healing = moved.heal
        return moved.url
      })
    }
    return fault
  }
  const listener = createServer((client) => {
    const connection = new RelayedConnection(client, {
      destination: () => destination,
      refused: () => refused,
      meet,
    })
    connections.add(connection)
    connection.onEnd(() => connections.delete(connection))
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port')
  const url = new URL(target)
  url.host = `127.0.0.1:${address.port}`
  return {
    url: url.href,
    watch: (planned) => {
      plan = planned
      counted = []
      struck = false
    },
    statements: () => counted,
    struck: () => struck,
    heal: async () => {
      refused = false
      for (const connection of connections) if (connection.silent) connection.cut()
      const url = await destination
      await healing()
      return url
    },
    stop: async () => {
      for (const connection of connections) connection.cut()
      listener.close()
      await once(listener, 'close')
    },
  }
}
