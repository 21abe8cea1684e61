import { EndpointTest } from '@netbox-pbs/api/records'
import type { WrongUsage } from '@netbox-pbs/app-shell'
import { Effect, Redacted } from 'effect'
import { z } from 'zod'
import { canAsk, confirm, needYes } from '../confirm.ts'
import { CannotRun } from '../failures.ts'
import { call, type Remote, readAll } from '../remote/remote-api.ts'
import { complain, say, table } from '../terminal.ts'

const Choice = z.object({ value: z.string(), label: z.string() })
const Server = z.object({
  id: z.int(),
  name: z.string(),
  host: z.string(),
  port: z.int(),
  fingerprint: z.string(),
  status: Choice,
  tls_state: Choice,
  last_error: z.string(),
  version: z.string(),
  endpoint_state: Choice,
  last_seen_at: z.string().nullable(),
})
type Server = z.infer<typeof Server>
const ServerPage = z.object({ results: z.array(Server) })
type Test = z.infer<typeof EndpointTest>

/** The values that `server add` needs in addition to the secret. */
export interface NewServer {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly token_id: string
  readonly fingerprint: string
  readonly verify_ssl: boolean
  readonly timeout_seconds: number
}

/** The fields that `server set` changes; fields left out stay. */
export type ServerChange = Partial<Omit<NewServer, 'name'>>

/** How credentials are stored: tried first, unless `untested`. */
export interface StoreOptions {
  readonly secret: Redacted.Redacted<string>
  readonly untested: boolean
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

/**
 * Connects a server, after it was tried. Where its certificate does not verify and none is pinned,
 * a person at a terminal is asked to pin it.
 */
export const addServer = (
  remote: Remote,
  server: NewServer,
  { secret, untested }: StoreOptions,
): Effect.Effect<void, CannotRun> =>
  Effect.gen(function* () {
    const body = { ...server, token_secret: Redacted.value(secret) }
    const test = untested
      ? null
      : yield* call(remote)({ method: 'POST', path: `${servers}test/`, body, answer: EndpointTest })
    const presented = test?.presented_fingerprint ?? null
    if (test?.code === 'tls_untrusted' && server.fingerprint === '' && presented !== null) {
      complain(`${server.name} presents a certificate that does not verify. Its SHA-256 fingerprint is`)
      complain(`  ${presented}`)
      const advice = 'Compare it with "proxmox-backup-manager cert info" on the server'
      if (!canAsk())
        return yield* new CannotRun({ message: `nothing was stored. ${advice}, and add --fingerprint ${presented}` })
      if (!(yield* confirm(`${advice}. Pin it?`))) return yield* new CannotRun({ message: 'nothing was stored' })
      return yield* addServer(remote, { ...server, fingerprint: presented }, { secret, untested })
    }
    if (test !== null) yield* usable(server.name, test, 'nothing was stored; --untested adds it anyway')
    const { name, id } = yield* call(remote)({
      method: 'POST',
      path: servers,
      body: { ...body, untested },
      answer: Server,
    })
    if (test === null) return say(`added ${name} (${id}), not tested: "netbox-pbs server test ${name}" tries it`)
    say(`added ${name} (${id}): reachable, PBS ${test.version ?? 'of unknown version'}; "netbox-pbs sync" reads it now`)
    warnOfToken(name, test)
    yield* warnOfTwin(remote, server)
  })

/** Changes a server, and says how it is seen then. A connection that comes with a secret is tried first. */
export const setServer = (
  remote: Remote,
  name: string,
  {
    change,
    secret,
    untested,
  }: { readonly change: ServerChange } & Omit<StoreOptions, 'secret'> & {
      readonly secret: StoreOptions['secret'] | null
    },
): Effect.Effect<void, CannotRun> =>
  Effect.gen(function* () {
    const { id } = yield* byName(remote, name)
    const path = `${servers}${id}/`
    const body = { ...change, ...(secret === null ? {} : { token_secret: Redacted.value(secret) }) }
    if (secret !== null && !untested) {
      const test = yield* call(remote)({ method: 'POST', path: `${path}test/`, body, answer: EndpointTest })
      yield* usable(name, test, 'nothing was changed; --untested changes it anyway')
      warnOfToken(name, test)
    }
    const answer = yield* call(remote)({
      method: 'PATCH',
      path,
      body: { ...body, ...(secret === null ? {} : { untested }) },
      answer: Server,
    })
    say(`changed ${name}: ${seen(answer)}`)
  })

/** Pins the certificate that a server presents now, after a person has seen it. */
export const pinServer = (remote: Remote, name: string, yes: boolean): Effect.Effect<void, WrongUsage | CannotRun> =>
  Effect.gen(function* () {
    const server = yield* byName(remote, name)
    const test = yield* tryServer(remote, server)
    const presented = yield* presentedBy(name, test)
    if (isPinned(server, presented)) return say(`${name} presents the pinned certificate already: ${presented}`)
    say(`pinned the certificate of ${name}: ${seen(yield* pinPresented(remote, server, presented, yes))}`)
  })

/** Steps of `server test` after the test. */
export interface TestOptions {
  /** Offers to pin a certificate that is not the pinned one. */
  readonly pin: boolean
  /** Pins it without a question. */
  readonly yes: boolean
}

/**
 * Tests the connection of a server, and fails when it cannot be read. With `pin`, another
 * certificate than the pinned one is shown next to it, pinned once a person agrees, and tested
 * again.
 */
export const testServer = (
  remote: Remote,
  name: string,
  { pin, yes }: TestOptions,
): Effect.Effect<void, WrongUsage | CannotRun> =>
  Effect.gen(function* () {
    const server = yield* byName(remote, name)
    const test = yield* tryServer(remote, server)
    yield* warnOfTwin(remote, server)
    if (!pin) return yield* reportTest(name, test)
    const presented = yield* presentedBy(name, test)
    if (isPinned(server, presented)) return yield* reportTest(name, test)
    yield* pinPresented(remote, server, presented, yes)
    say(`pinned the certificate of ${name}`)
    yield* reportTest(name, yield* tryServer(remote, server))
  })

const tryServer = (remote: Remote, { id }: Server) =>
  call(remote)({ method: 'POST', path: `${servers}${id}/test/`, body: {}, answer: EndpointTest })

const presentedBy = (name: string, { presented_fingerprint, error }: Test): Effect.Effect<string, CannotRun> =>
  presented_fingerprint === null
    ? new CannotRun({ message: `${name}: ${error ?? 'presents no certificate'}; nothing was changed` })
    : Effect.succeed(presented_fingerprint)

const isPinned = ({ fingerprint }: Server, presented: string): boolean => bare(presented) === bare(fingerprint)

/** Shows the pinned and the presented certificate; when a person agrees, exactly the presented one is pinned. */
const pinPresented = (remote: Remote, { id, name, fingerprint }: Server, presented: string, yes: boolean) =>
  Effect.gen(function* () {
    complain(`pinned:    ${fingerprint === '' ? 'none' : fingerprint}`)
    complain(`presented: ${presented}`)
    yield* needYes(yes, `Pin the presented certificate of ${name}? Compare it with the server first.`)
    const body = { fingerprint: presented }
    return yield* call(remote)({ method: 'PATCH', path: `${servers}${id}/`, body, answer: Server })
  })

const reportTest = (name: string, test: Test): Effect.Effect<void, CannotRun> =>
  Effect.map(usable(name, test), () => {
    say(
      `${name}: reachable, PBS ${test.version ?? 'of unknown version'}, fingerprint ${test.presented_fingerprint ?? 'unknown'}`,
    )
    warnOfToken(name, test)
  })

/** The servers, a line each. */
export const listServers = (remote: Remote) =>
  Effect.map(readAll(remote)(servers, Server), (rows) =>
    say(
      rows.length === 0
        ? 'no servers yet: "netbox-pbs server add" connects one'
        : table([
            ['NAME', 'ADDRESS', 'STATUS', 'VERSION', 'CREDENTIALS', 'LAST SEEN'],
            ...rows.map((s) => [
              s.name,
              `${s.host.includes(':') && !s.host.startsWith('[') ? `[${s.host}]` : s.host}:${s.port}`,
              s.status.label,
              s.version,
              credentials[s.endpoint_state.value] ?? s.endpoint_state.label,
              s.last_seen_at ?? 'never',
            ]),
          ]),
    ),
  )

/** Removes a server, its endpoint at the gateway and its children, after a person has seen their number. */
export const removeServer = (remote: Remote, name: string, yes: boolean): Effect.Effect<void, WrongUsage | CannotRun> =>
  Effect.gen(function* () {
    const { id } = yield* byName(remote, name)
    const counts = yield* Effect.forEach(children, ([model, word]) =>
      call(remote)({
        method: 'GET',
        path: `/api/plugins/pbs/${model}/?server_id=${id}&limit=1`,
        answer: z.object({ count: z.int().nullable() }),
      }).pipe(Effect.map(({ count }) => `${count ?? 'unknown'} ${word}`)),
    )
    yield* needYes(yes, `Remove ${name} with ${counts.join(', ')}, their tags and decisions?`)
    yield* call(remote)({ method: 'DELETE', path: `${servers}${id}/`, answer: z.unknown() })
    say(`removed ${name} with ${counts.join(', ')}`)
  })

const children = [
  ['datastores', 'datastores'],
  ['groups', 'groups'],
  ['snapshots', 'snapshots'],
  ['jobs', 'jobs'],
] as const

const credentials: Readonly<Record<string, string>> = { connected: 'stored', none: 'none' }

/** Fails when a test failed. `outcome` is the consequence. */
const usable = (name: string, test: Test, outcome = ''): Effect.Effect<void, CannotRun> => {
  if (test.reachable && test.error === null) return Effect.void
  const lines = [
    `${name}: ${test.error ?? 'not reachable'}`,
    ...(test.acl_commands.length === 0 ? [] : ['run on the server:', ...test.acl_commands.map((line) => `  ${line}`)]),
    ...(outcome === '' ? [] : [outcome]),
  ]
  return new CannotRun({ message: lines.join('\n') })
}

function warnOfToken(name: string, { missing_privileges, acl_commands, token_warning }: Test): void {
  if (token_warning !== null && token_warning !== '') complain(`${name}: ${token_warning}`)
  if (missing_privileges.length === 0) return
  complain(
    `${name}: the token lacks ${missing_privileges.join(', ')}; the rows that these show stay hidden. Run on the server:`,
  )
  for (const line of acl_commands) complain(`  ${line}`)
}

/** Warns when another server has the same certificate pinned: it may be the same PBS, read and counted twice. */
const warnOfTwin = (
  remote: Remote,
  { name, fingerprint }: Pick<Server, 'name' | 'fingerprint'>,
): Effect.Effect<void, CannotRun> =>
  Effect.gen(function* () {
    if (fingerprint === '') return
    const all = yield* readAll(remote)(servers, Server)
    const twins = all.filter((one) => one.name !== name && isPinned(one, fingerprint)).map((one) => one.name)
    if (twins.length > 0)
      complain(
        `${name}: the same certificate is pinned for ${twins.join(', ')}; if that is the same PBS, its backups are read and counted twice: remove one of the two`,
      )
  })

/** How the last contact with a server went. */
const seen = ({ status, tls_state, last_error }: Server): string =>
  last_error === '' ? `${status.label}, TLS ${tls_state.label}` : last_error

/** Fingerprints are the same with and without colons, in either case. */
const bare = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase()
