import { type IncomingMessage, type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from 'node:http'

/** How much of a request is read after its answer was written, and for how long, before the connection is cut off. */
const mostBytes = 64 * 1024 * 1024
const longestMillis = 30_000

/**
 * A response that reaches a client which is still sending its request, such as a 413: it says `Connection: close`, is sent
 * whole, and what still comes is read and dropped, within bounds. A connection that is closed while bytes come in is reset,
 * and a reset throws away what the client has not read yet.
 */
export class LingeringResponse extends ServerResponse {
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

/** Node closes a connection with `destroySoon` once its last answer is written; this one then says its end, and is closed when the request has come in. */
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
  // Whoever read the body before would keep what comes, and pause.
  request.removeAllListeners('data')
  request.on('data', count).on('end', stop).on('close', stop).on('error', stop).resume()
}
