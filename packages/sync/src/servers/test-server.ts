import { type Actor, type Contact, nextHealth, resources, type ServerHealth } from '@netbox-pbs/core'
import {
  type Branches,
  type EndpointInput,
  type EndpointNotFound,
  EndpointRejected,
  Endpoints,
  type EndpointTest,
  GatewayUnavailable,
  type Inventory,
  type Queue,
  type Runs,
  ServerObservations,
  type SettingsStore,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Data, Effect } from 'effect'
import { startRun } from '../runs/start-run.ts'
import { now } from '../timestamp.ts'
import { type Connection, connectionOf } from './connection.ts'
import { findServer, type ServerNotFound, type ServerPending } from './find-server.ts'
import { contactOf } from './server-contact.ts'

/**
 * Tests a connection: that of a connected server, by its id, or a proposed one, which leaves no
 * trace. The test of a connected server updates its health at once, and a server that recovers, or
 * answers for the first time, is read.
 */
export const testServer = Effect.fn('sync.testServer')(function* (
  request: { readonly id: number; readonly actor: Actor } | EndpointInput,
): Effect.fn.Return<
  EndpointTest,
  StoreFailed | GatewayUnavailable | EndpointRejected | EndpointNotFound | ServerNotFound | ServerPending,
  Endpoints | ReadPorts
> {
  const endpoints = yield* Endpoints
  if (!('id' in request)) return yield* endpoints.test(request)
  const { id, facts, health } = yield* findServer(request.id)
  if (facts.endpoint_id === null) {
    const errors = { token_secret: ['This server is inventory only: send its token_secret to test it.'] }
    return yield* new EndpointRejected({ errors })
  }
  const test = yield* endpoints.test({ id: facts.endpoint_id })
  yield* keepContact({ id, health, connection: connectionOf({}, facts) }, test)
  if (test.error === null && !isWell(health)) yield* startRead(request.id, request.actor)
  return test
})

/** The ports needed to keep a test: the health of the server, and a run that reads it. */
export type ReadPorts = ServerObservations | Inventory | Branches | Queue | Runs | SettingsStore

/**
 * Tries a connection before it is stored; fails when nothing could be read with it. Privileges that
 * are missing in part are in the outcome.
 */
export const tryConnection = Effect.fn('sync.tryConnection')(function* (
  connection: EndpointInput,
): Effect.fn.Return<EndpointTest, GatewayUnavailable | EndpointRejected | ServerNotUsable, Endpoints> {
  const test = yield* Effect.catchTag(
    (yield* Endpoints).test(connection),
    'EndpointNotFound',
    ({ message }) => new GatewayUnavailable({ message }),
  )
  return test.error === null ? test : yield* new ServerNotUsable({ error: test.error, test })
})

/**
 * Updates a server's health from a test of its stored connection; a failed test does not count
 * among the failed runs. If the store rejects the update, the server stays as it is.
 */
export const keepContact = Effect.fn('sync.keepContact')(function* (
  server: { readonly id: number; readonly health: ServerHealth | null; readonly connection: Connection },
  { reachable, code, error, presented_fingerprint, token_warning }: EndpointTest,
): Effect.fn.Return<void, never, ServerObservations> {
  const { verify_ssl, fingerprint } = server.connection
  const contact = withWarning(
    token_warning,
    contactOf(
      {
        status: reachable ? 'reachable' : 'unreachable',
        last_seen_at: null,
        tls_checked: verify_ssl || fingerprint !== '',
        error:
          error === null
            ? undefined
            : {
                code: code ?? (reachable ? 'protocol' : 'unreachable'),
                message: error,
                presented_fingerprint: presented_fingerprint ?? undefined,
              },
      },
      { at: yield* now, runId: null },
    ),
  )
  if (contact === null) return
  const record = (yield* ServerObservations).record({ serverId: server.id, health: nextHealth(server.health, contact) })
  yield* Effect.catchAll(record, (failed) => Effect.logWarning('the health of a server was not kept', failed))
})

/** A contact that also says how far the privileges of the token go, where that is known. */
const withWarning = (tokenWarning: string | null, contact: Contact | null): Contact | null =>
  contact?._tag === 'answered' && tokenWarning !== null ? { ...contact, tokenWarning } : contact

/**
 * Starts a run that reads one server whose connection was found to work. The server's own state is
 * known, so that no other server is asked for its own.
 */
export const startRead = Effect.fn('sync.startRead')(function* (
  id: number,
  { user }: Actor,
): Effect.fn.Return<void, never, Exclude<ReadPorts, ServerObservations>> {
  const run = startRun({
    resources: resources.filter((resource) => resource !== 'servers'),
    servers: [id],
    trigger: 'manual',
    user,
  })
  yield* Effect.catchAll(run, (failed) => Effect.logWarning('a server is not read before the next run', failed))
})

/** Whether the last contact with a server went well. */
const isWell = (health: ServerHealth | null): boolean =>
  health !== null && health.status === 'reachable' && health.last_error_code === ''

/** A connection was tested before it was stored, and cannot be read with. `error` is the test's. */
export class ServerNotUsable extends Data.TaggedError('ServerNotUsable')<{
  readonly error: string
  readonly test: EndpointTest
}> {
  /** The field of the server to check first. */
  get field(): 'host' | 'fingerprint' | 'token_id' | 'token_secret' | '__all__' {
    switch (this.test.code) {
      case 'unreachable':
      case 'timeout':
        return 'host'
      case 'tls_fingerprint_mismatch':
      case 'tls_untrusted':
        return 'fingerprint'
      case 'unauthorized':
        return 'token_secret'
      case 'forbidden':
        return 'token_id'
      default:
        return '__all__'
    }
  }

  override get message(): string {
    const { acl_commands } = this.test
    const commands = acl_commands.length === 0 ? '' : ` Run on the server: ${acl_commands.join('; ')}`
    return `${this.error}${commands}`
  }
}
