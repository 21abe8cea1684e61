import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Effect, type Scope } from 'effect'

/** A request as a test server saw it. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A real server on a free port of the loopback, closed with the scope. */
export const serve = (
  handler: (seen: Seen, response: ServerResponse) => void,
): Effect.Effect<{ readonly url: string; readonly seen: ReadonlyArray<Seen> }, never, Scope.Scope> =>
  Effect.gen(function* () {
    const seen: Array<Seen> = []
    const listener: RequestListener = async (request, response) => {
      let body = ''
      for await (const part of request) body += String(part)
      const one = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body }
      seen.push(one)
      handler(one, response)
    }
    const server = yield* Effect.acquireRelease(
      Effect.async<ReturnType<typeof createServer>>((resume) => {
        const opened = createServer(listener).listen(0, '127.0.0.1', () => resume(Effect.succeed(opened)))
      }),
      (opened) =>
        Effect.async<void>((resume) => {
          opened.close(() => resume(Effect.void))
          opened.closeAllConnections()
        }),
    )
    const { port } = server.address() as AddressInfo // A TCP server's address has a port.
    return { url: `http://127.0.0.1:${port}`, seen }
  })

/** Answers with JSON. */
export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** Begins a stream of frames. */
export const ndjson = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
