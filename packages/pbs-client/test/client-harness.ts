import type { IncomingMessage, ServerResponse } from 'node:http'
import { Effect, Either, Redacted, type Scope } from 'effect'
import { makePbsClient, type PbsClient, type PbsConnection, PbsRequestFailed } from '../src/index.ts'
import { makeCertificate, serveHttps } from './tls-server.ts'

export const secret = '6f0c1d7e-2b44-4c1a-9a35-7d1e0f5b8c21'

type Use<A, E> = (client: PbsClient) => Effect.Effect<A, E, Scope.Scope>

/** How one test's server answers. */
export type Respond = (request: IncomingMessage, response: ServerResponse) => void

export const run = <A, E>(connection: PbsConnection, use: Use<A, E>): Promise<Either.Either<A, E>> =>
  Effect.runPromise(Effect.scoped(Effect.either(Effect.flatMap(makePbsClient(connection), use))))

export const failureIn = <A, E>(outcome: Either.Either<A, E>): PbsRequestFailed => {
  if (Either.isRight(outcome) || !(outcome.left instanceof PbsRequestFailed)) {
    throw new Error('did not fail as a PBS request')
  }
  return outcome.left
}

export const connectionTo = (port: number, overrides: Partial<PbsConnection> = {}): PbsConnection => ({
  host: '127.0.0.1',
  port,
  tokenId: 'inventory@pbs!reader',
  tokenSecret: Redacted.make(secret),
  fingerprint: null,
  verifySsl: true,
  timeoutSeconds: 5,
  ...overrides,
})

/** A server whose answers each test chooses, and a client pinned to it. */
export const startHarness = async () => {
  const certificate = await makeCertificate()
  const state = { requests: [] as Array<IncomingMessage>, respond: (() => {}) as Respond }
  const server = await serveHttps(certificate, (request, response) => {
    state.requests.push(request)
    state.respond(request, response)
  })
  const connection = (overrides: Partial<PbsConnection> = {}) =>
    connectionTo(server.port, { fingerprint: certificate.fingerprint, ...overrides })
  return {
    certificate,
    server,
    connection,
    requests: () => state.requests,
    answer: (respond: Respond) => {
      state.requests = []
      state.respond = respond
    },
    succeeds: async <A, E>(use: Use<A, E>, overrides?: Partial<PbsConnection>) =>
      Either.getOrThrow(await run(connection(overrides), use)),
    fails: async <A, E>(use: Use<A, E>, overrides?: Partial<PbsConnection>) =>
      failureIn(await run(connection(overrides), use)),
  }
}

export type Harness = Awaited<ReturnType<typeof startHarness>>

export const json =
  (data: unknown): Respond =>
  (_, response) => {
    response.setHeader('content-type', 'application/json;charset=UTF-8').end(JSON.stringify({ data }))
  }

export const status =
  (code: number, text: string): Respond =>
  (_, response) => {
    response.writeHead(code, { 'content-type': 'application/json;charset=UTF-8' }).end(text)
  }

/** Answers by path below `/api2/json`, query included; a 404 of PBS for the rest. */
export const routes =
  (table: Readonly<Record<string, Respond>>): Respond =>
  (request, response) => {
    const path = (request.url ?? '').replace('/api2/json', '')
    const respond = table[path] ?? status(404, `Path '/api2/json${path}' not found.`)
    respond(request, response)
  }
