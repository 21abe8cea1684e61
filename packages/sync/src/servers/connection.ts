import { type Facts, registry } from '@netbox-pbs/core'
import type { EditValues, Endpoint, EndpointInput, EndpointTest } from '@netbox-pbs/core/ports'
import { Effect, Fiber, type Redacted } from 'effect'

/** The columns of a server that its endpoint at the gateway holds too. */
export type Connection = Pick<Facts<'server'>, (typeof columns)[number]>

const columns = ['name', 'host', 'port', 'token_id', 'fingerprint', 'verify_ssl', 'timeout_seconds'] as const

const { port, fingerprint, verify_ssl, timeout_seconds } = registry.server.fields

/** Defaults of a new server's connection. */
export const newConnection: Connection = {
  name: '',
  host: '',
  port: port.default,
  token_id: '',
  fingerprint: fingerprint.default,
  verify_ssl: verify_ssl.default,
  timeout_seconds: timeout_seconds.default,
}

/** The connection after a write: the columns it names, and `before` for the others. */
export function connectionOf(values: EditValues, before: Connection): Connection {
  const text = (column: 'name' | 'host' | 'token_id' | 'fingerprint') => {
    const value = values[column]
    return typeof value === 'string' ? value : before[column]
  }
  const number = (column: 'port' | 'timeout_seconds') => {
    const value = values[column]
    return typeof value === 'number' ? value : before[column]
  }
  return {
    name: text('name'),
    host: text('host'),
    port: number('port'),
    token_id: text('token_id'),
    fingerprint: text('fingerprint'),
    verify_ssl: typeof values['verify_ssl'] === 'boolean' ? values['verify_ssl'] : before.verify_ssl,
    timeout_seconds: number('timeout_seconds'),
  }
}

/** The columns of `after` that differ from `before`. */
export function changedColumns(before: Connection, after: Connection): Partial<Connection> {
  return Object.fromEntries(columns.filter((column) => after[column] !== before[column]).map((c) => [c, after[c]]))
}

/** The gateway's input for an endpoint. */
export function endpointInput(connection: Connection, secret: Redacted.Redacted<string>): EndpointInput {
  return { ...connectionOf({}, connection), token_secret: secret }
}

/**
 * The columns of a row whose endpoint the gateway has confirmed. The name is the row's own, by
 * which both sides know it.
 */
export function confirmedValues({ id, ...endpoint }: Endpoint): EditValues {
  const { host, port, token_id, fingerprint, verify_ssl, timeout_seconds } = endpoint
  return {
    ...{ host, port, token_id, fingerprint, verify_ssl, timeout_seconds },
    endpoint_id: id,
    endpoint_state: 'connected',
  }
}

/** The version that a test found, as a value of the row; none where there is none. */
export function versionOf(test: EndpointTest | null): EditValues {
  const version = test?.version ?? ''
  return version === '' || version.length > registry.server.fields.version.max ? {} : { version }
}

/**
 * Continues when the caller is interrupted, so that work begun at the gateway is always confirmed
 * or undone. It uses a fiber of its own, because in an uninterruptible region no timeout could end
 * a call.
 */
export const runDetached = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.forkDaemon(Effect.interruptible(work)), Fiber.join)

/** Runs an effect; when it fails, runs `undo` and keeps the failure. */
export const withCompensation = <A, E, R, B, E2, R2>(
  effect: Effect.Effect<A, E, R>,
  undo: Effect.Effect<B, E2, R2>,
): Effect.Effect<A, E, R | R2> =>
  Effect.tapErrorCause(effect, () =>
    Effect.catchAllCause(undo, (cause) =>
      Effect.logWarning(
        'the earlier state of a server could not be restored; the next sync of the servers does it',
        cause,
      ),
    ),
  )
