import { Effect, Redacted } from 'effect'
import { z } from 'zod'
import { CannotRun } from '../failures.ts'
import { call, type Remote, readAll } from '../remote/remote-api.ts'
import { say, table } from '../terminal.ts'

const Choice = z.object({ value: z.string(), label: z.string() })
const Server = z.object({
  id: z.int(),
  name: z.string(),
  host: z.string(),
  port: z.int(),
  status: Choice,
  version: z.string(),
  endpoint_state: Choice,
  last_seen_at: z.string().nullable(),
})
const ServerPage = z.object({ results: z.array(Server) })
const Test = z.object({
  reachable: z.boolean(),
  version: z.string().nullable(),
  error: z.string().nullable(),
  presented_fingerprint: z.string().nullable(),
  missing_privileges: z.array(z.string()),
})

/** What `server add` needs beside the secret. */
export interface NewServer {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly token_id: string
  readonly fingerprint: string
  readonly verify_ssl: boolean
}

const servers = '/api/plugins/pbs/servers/'

const byName = (remote: Remote, name: string) =>
  call(remote)({ method: 'GET', path: `${servers}?name=${encodeURIComponent(name)}&limit=1`, answer: ServerPage }).pipe(
    Effect.flatMap(({ results: [server] }) =>
      server === undefined
        ? Effect.fail(new CannotRun({ message: `no server is named ${name}: "netbox-pbs server list" shows them` }))
        : Effect.succeed(server),
    ),
  )

/** Connects a server and says how it is seen. */
export const addServer = (remote: Remote, server: NewServer, secret: Redacted.Redacted<string>) =>
  call(remote)({
    method: 'POST',
    path: servers,
    body: { ...server, token_secret: Redacted.value(secret) },
    answer: Server,
  }).pipe(
    Effect.tap(({ name, id }) => Effect.sync(() => say(`added ${name} (${id}); "netbox-pbs sync" reads it now`))),
    Effect.asVoid,
  )

/** Tests the connection of a server. Fails when it cannot be read. */
export const testServer = (remote: Remote, name: string) =>
  Effect.gen(function* () {
    const { id } = yield* byName(remote, name)
    const test = yield* call(remote)({ method: 'POST', path: `${servers}${id}/test/`, body: {}, answer: Test })
    if (!test.reachable || test.error !== null)
      return yield* new CannotRun({ message: `${name}: ${test.error ?? 'not reachable'}` })
    say(
      `${name}: reachable, PBS ${test.version ?? 'of unknown version'}, fingerprint ${test.presented_fingerprint ?? 'unknown'}`,
    )
    if (test.missing_privileges.length > 0)
      say(`${name}: the token lacks ${test.missing_privileges.join(', ')}; what these show stays hidden`)
  })

/** The servers, a line each. */
export const listServers = (remote: Remote) =>
  Effect.map(readAll(remote)(servers, Server), (rows) =>
    say(
      rows.length === 0
        ? 'no servers yet: "netbox-pbs server add" connects one'
        : table([
            ['NAME', 'ADDRESS', 'STATUS', 'VERSION', 'ENDPOINT', 'LAST SEEN'],
            ...rows.map((s) => [
              s.name,
              `${s.host}:${s.port}`,
              s.status.label,
              s.version,
              s.endpoint_state.label,
              s.last_seen_at ?? 'never',
            ]),
          ]),
    ),
  )

/** Removes a server, its endpoint at the gateway and what is below it. */
export const removeServer = (remote: Remote, name: string) =>
  Effect.gen(function* () {
    const { id } = yield* byName(remote, name)
    yield* call(remote)({ method: 'DELETE', path: `${servers}${id}/`, answer: z.unknown() })
    say(`removed ${name} and what was below it`)
  })
