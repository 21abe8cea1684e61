import { type Actor, nextHealth, resources, type ServerHealth } from '@netbox-pbs/core'
import {
  type Branches,
  type EndpointInput,
  type EndpointRejected,
  Endpoints,
  type EndpointTest,
  GatewayUnavailable,
  type Inventory,
  type Queue,
  type Runs,
  ServerObservations,
  type SettingsStore,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { startRun } from '../runs/start-run.ts'
import { now } from '../timestamp.ts'
import type { Connection } from './connection.ts'
import { contactOf } from './contact-of.ts'
import { ServerNotUsable } from './server-errors.ts'

/** What the ports must offer so that a test can be kept: the health of the server, and a run that reads it. */
export type ReadPorts = ServerObservations | Inventory | Branches | Queue | Runs | SettingsStore

/** Tries a connection before it is stored; fails when nothing could be read with it. Privileges that are missing in part are in the outcome. */
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
 * Keeps what a test of a server's stored connection told: its health is that of now. A failed test is not counted among the failed runs. The server stays as it is when the store
 * does not take it.
 */
export const keepContact = Effect.fn('sync.keepContact')(function* (
  server: { readonly id: number; readonly health: ServerHealth | null; readonly connection: Connection },
  { reachable, code, error, presented_fingerprint }: EndpointTest,
): Effect.fn.Return<void, never, ServerObservations> {
  const { verify_ssl, fingerprint } = server.connection
  const contact = contactOf(
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
  )
  if (contact === null) return
  const record = (yield* ServerObservations).record({ serverId: server.id, health: nextHealth(server.health, contact) })
  yield* Effect.catchAll(record, (failed) => Effect.logWarning('the health of a server was not kept', failed))
})

/** Starts a run that reads one server whose connection was found to work. The server's own state is known, so that no other server is asked for its own. */
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
export const isWell = (health: ServerHealth | null): boolean =>
  health !== null && health.status === 'reachable' && health.last_error_code === ''
