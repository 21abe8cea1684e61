import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  type RequestListener,
  type Server,
  ServerResponse,
} from 'node:http'
import { Data, Effect, Runtime, type Scope } from 'effect'
import { urlHost } from './host-names.ts'

/** The service, and the address it listens on. */
export interface HttpService {
  /** The service as a sentence's subject: `the gateway`. */
  readonly who: string
  /** Address to listen on. */
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  /** The flag that chooses the port, for the error that it is in use. Default `--port`. */
  readonly portFlag?: string
  /** Answers a request. An exception or rejection is logged, and ends that connection alone. */
  readonly listener: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>
  /** How long a request may take to come in, in milliseconds. */
  readonly requestTimeout: number
}

/** A server cannot listen on the requested address. */
export class CannotListen extends Data.TaggedError('CannotListen')<{
  readonly reason: 'port_in_use' | 'address_unavailable' | 'not_permitted' | 'other'
  /** The service as a sentence's subject: `the gateway`. */
  readonly who: string
  readonly host: string
  readonly port: number
  /** The flag that chooses the port. */
  readonly portFlag: string
  readonly cause?: unknown
}> {
  override get message(): string {
    const next = {
      port_in_use: `the port is in use; stop what listens there or choose another with ${this.portFlag}`,
      address_unavailable: 'this machine has no such address; choose another with --host',
      not_permitted: `listening there is not permitted; choose a port above 1023 with ${this.portFlag}`,
      other: 'the operating system refused; look at the cause',
    }[this.reason]
    return `${this.who} cannot listen on ${this.host}:${this.port}: ${next}`
  }
}

const reasons: Readonly<Record<string, CannotListen['reason']>> = {
  EADDRINUSE: 'port_in_use',
  EADDRNOTAVAIL: 'address_unavailable',
  ENOTFOUND: 'address_unavailable',
  EACCES: 'not_permitted',
}

/** How long a stop waits for requests that are being answered, before it cuts them off. */
const drainMillis = 2000

/**
 * Serves HTTP until the scope closes: first no new connections, then at most two seconds for
 * running answers, then the rest is cut off.
 */
export const serveHttp = (
  service: HttpService,
): Effect.Effect<{ readonly url: string; readonly port: number }, CannotListen, Scope.Scope> =>
  Effect.gen(function* () {
    const { requestTimeout } = service
    const log = Runtime.runFork(yield* Effect.runtime())
    const listener: RequestListener = (request, response) => {
      // An exception here would end the process.
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

const listen = (
  server: Server,
  { who, host, port, portFlag = '--port' }: HttpService,
): Effect.Effect<void, CannotListen> =>
  Effect.async((resume) => {
    const onError = (cause: NodeJS.ErrnoException) => {
      resume(new CannotListen({ reason: reasons[cause.code ?? ''] ?? 'other', who, host, port, portFlag, cause }))
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

/** How much of a request is read after its answer was written, and for how long, before the connection is cut off. */
const mostBytes = 64 * 1024 * 1024
const longestMillis = 30_000

/**
 * A response that reaches a client which is still sending its request, such as a 413: it says
 * `Connection: close`, is sent whole, and what still comes is read and dropped, within bounds. A
 * connection that is closed while bytes come in is reset, and a reset throws away what the client
 * has not read yet.
 */
class LingeringResponse extends ServerResponse {
  override writeHead(status: number, text?: string | Headers, headers?: Headers): this {
    if (isUnfinished(this.req)) this.shouldKeepAlive = false
    return typeof text === 'string' ? super.writeHead(status, text, headers) : super.writeHead(status, text ?? headers)
  }

  override end(...last: ReadonlyArray<unknown>): this {
    if (isUnfinished(this.req)) closeOnceDrained(this.req)
    return super.end(...(last as Parameters<ServerResponse['end']>))
  }
}

type Headers = OutgoingHttpHeaders | Array<OutgoingHttpHeader>

/** Whether a client still sends the body of its request. */
const isUnfinished = ({ headers, complete, destroyed }: IncomingMessage): boolean =>
  !complete && !destroyed && (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0)

/**
 * Node closes a connection with `destroySoon` once its last answer is written; this one then says
 * its end, and is closed when the request has come in.
 */
function closeOnceDrained(request: IncomingMessage): void {
  const { socket } = request
  const drained = new Promise<void>((resolve) => drain(request, resolve))
  socket.destroySoon = () => {
    socket.end()
    void drained.then(() => socket.destroy())
  }
}

function drain(request: IncomingMessage, then: () => void): void {
  let bytes = 0
  const stop = () => {
    clearTimeout(timer)
    request.off('data', count).off('end', stop).off('close', stop).off('error', stop)
    then()
  }
  const timer = setTimeout(stop, longestMillis)
  const count = (chunk: Uint8Array) => {
    bytes += chunk.byteLength
    if (bytes > mostBytes) stop()
  }
  // An earlier reader of the body would keep the bytes, and pause.
  request.removeAllListeners('data')
  request.on('data', count).on('end', stop).on('close', stop).on('error', stop).resume()
}
