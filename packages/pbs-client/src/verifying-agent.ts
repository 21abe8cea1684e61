import { Agent, type RequestOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import type { PbsConnection } from './connection.ts'
import { judgePeer, openSocket, presentedCertificate } from './verified-socket.ts'

/** What a request passes to the agent; Node keeps `signal` itself from it. */
export interface VerifyingRequestOptions extends RequestOptions {
  /** Ends an attempt to connect. */
  readonly giveUp: AbortSignal
}

/** An agent that gives out only sockets whose peer was judged, so no request is ever written to a wrong server. */
export class VerifyingAgent extends Agent {
  readonly #connection: PbsConnection

  constructor(connection: PbsConnection, sockets: number) {
    super({ keepAlive: true, maxFreeSockets: sockets, maxCachedSessions: 0, scheduling: 'lifo' })
    this.#connection = connection
  }

  override createConnection(
    options: RequestOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    // Node calls back with an error alone; its types always want a stream.
    const response = callback as ((error: Error | null, stream?: Duplex) => void) | undefined
    const reject = (error: unknown, socket?: Duplex) => {
      socket?.on('error', () => {}).destroy()
      response?.(error instanceof Error ? error : new Error(String(error)))
    }
    openSocket(
      this.#connection,
      (error, socket) => {
        let rejected: unknown = error
        try {
          rejected ??= socket === undefined ? null : judgePeer(this.#connection, socket, presentedCertificate(socket))
        } catch (defect) {
          rejected = defect
        }
        if (rejected !== null) reject(rejected, socket)
        else response?.(null, socket)
      },
      'giveUp' in options && options.giveUp instanceof AbortSignal ? options.giveUp : undefined,
    )
    return undefined
  }
}
