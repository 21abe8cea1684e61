import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type CannotListen, serveHttp } from '@netbox-pbs/app-shell'
import { Effect, type Scope } from 'effect'

/** Where a running system is asked, and the key that it wants to see. */
export interface LocalAddress {
  readonly address: string
  readonly key: string
}

/** A service of a running system for the commands of its own user. */
interface LocalService {
  /** The service as a sentence's subject: `the service for backups`. */
  readonly who: string
  readonly answer: (asked: IncomingMessage, response: ServerResponse) => Promise<void>
}

/**
 * Lets other processes of this user ask the running system, until the scope closes. It listens on
 * loopback and answers who shows the key, which lies in `run.json`.
 */
export const serveLocally = ({ who, answer }: LocalService): Effect.Effect<LocalAddress, CannotListen, Scope.Scope> => {
  const key = randomBytes(32).toString('base64url')
  const listener = async (asked: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (asked.method === 'POST' && isKey(asked.headers.authorization, key)) return await answer(asked, response)
    response.writeHead(403).end()
  }
  return Effect.map(
    serveHttp({ who, host: '127.0.0.1', port: 0, requestTimeout: 30_000, listener }),
    ({ url }): LocalAddress => ({ address: url, key }),
  )
}

function isKey(header: string | undefined, key: string): boolean {
  const [given, right] = [Buffer.from(header ?? ''), Buffer.from(`Bearer ${key}`)]
  return given.length === right.length && timingSafeEqual(given, right)
}
