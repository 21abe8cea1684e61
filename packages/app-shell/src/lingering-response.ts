import { type IncomingMessage, type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from 'node:http'

/** How much of a request is read after its answer was written, and for how long, before the connection is cut off. */
const mostBytes = 64 * 1024 * 1024
const longestMillis = 30_000

/**
 * A response that reaches a client which is still sending its request, such as a 413: it says `Connection: close`, and what
 * still comes is read and dropped, within bounds. A connection that is closed while bytes come in is reset, and a reset
 * throws away what the client has not read yet.
 */
export class LingeringResponse extends ServerResponse {
  override writeHead(status: number, text?: string | Headers, headers?: Headers): this {
    if (isUnfinished(this.req)) this.shouldKeepAlive = false
    return typeof text === 'string' ? super.writeHead(status, text, headers) : super.writeHead(status, text ?? headers)
  }

  override end(...last: ReadonlyArray<unknown>): this {
    const ended = last.find((part) => typeof part === 'function')
    const [chunk, encoding] = last.filter((part) => typeof part !== 'function')
    const finish = () => void super.end(ended as () => void)
    if (!isUnfinished(this.req)) super.end(...(last as Parameters<ServerResponse['end']>))
    else if (chunk === undefined || chunk === null) {
      this.flushHeaders()
      drain(this.req, finish)
    } else {
      this.write(chunk, encoding as BufferEncoding)
      drain(this.req, finish)
    }
    return this
  }
}

type Headers = OutgoingHttpHeaders | Array<OutgoingHttpHeader>

/** Whether a client still sends the body of its request. */
const isUnfinished = ({ headers, complete, destroyed }: IncomingMessage): boolean =>
  !complete && !destroyed && (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0)

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
