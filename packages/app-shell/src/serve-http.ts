import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { Effect, Runtime, type Scope } from 'effect'
import { CannotListen, listenReason } from './cannot-listen.ts'
import { LingeringResponse } from './lingering-response.ts'

/** What to serve, and where. */
export interface HttpService {
  /** Who serves, as a sentence's subject: `the gateway`. */
  readonly who: string
  /** Address to listen on. */
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  /** The flag that chooses the port, for the error that it is in use. Default `--port`. */
  readonly portFlag?: string
  /** Answers a request. What it throws or rejects with is logged, and ends that connection alone. */
  readonly listener: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>
  /** How long a request may take to come in, in milliseconds. */
  readonly requestTimeout: number
}

/** How long a stop waits for requests that are being answered, before it cuts them off. */
const drainMillis = 2000

/** Serves HTTP until the scope closes: first no new connections, then at most two seconds for running answers, then the rest is cut off. */
export const serveHttp = (
  service: HttpService,
): Effect.Effect<{ readonly url: string; readonly port: number }, CannotListen, Scope.Scope> =>
  Effect.gen(function* () {
    const { requestTimeout } = service
    const log = Runtime.runFork(yield* Effect.runtime())
    const listener: RequestListener = (request, response) => {
      // Nothing else catches it: it would end the process.
      const giveUp = (defect: unknown) => {
        log(Effect.logError('a request broke', defect))
        response.destroy()
      }
      try {
        service.listener(request, response)?.catch(giveUp)
      } catch (defect) {
        giveUp(defect)
      }
    }
    const headersTimeout = Math.min(15_000, requestTimeout)
    const server = createServer({ requestTimeout, headersTimeout, ServerResponse: LingeringResponse }, listener)
    yield* Effect.acquireRelease(listen(server, service), () => close(server))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : service.port
    return { url: `http://${urlHost(service.host)}:${port}`, port }
  })

/** A host as it stands in a URL: an IPv6 address in brackets. */
export const urlHost = (host: string): string => (host.includes(':') ? `[${host}]` : host)

const listen = (
  server: Server,
  { who, host, port, portFlag = '--port' }: HttpService,
): Effect.Effect<void, CannotListen> =>
  Effect.async((resume) => {
    const onError = (cause: NodeJS.ErrnoException) => {
      resume(new CannotListen({ reason: listenReason(cause.code), who, host, port, portFlag, cause }))
    }
    server.once('error', onError)
    server.listen({ host, port }, () => {
      server.off('error', onError)
      // Such as a connection that cannot be accepted because too many files are open: the next one may be.
      server.on('error', () => {})
      resume(Effect.void)
    })
  })

const close = (server: Server): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const cutOff = setTimeout(() => server.closeAllConnections(), drainMillis)
    server.close(() => {
      clearTimeout(cutOff)
      resume(Effect.void)
    })
    server.closeIdleConnections()
  })
