import { connect } from 'node:net'

const silentMillis = 60_000

/** A request as its bytes go over the wire, which no client library would send so. */
export interface RawRequest {
  readonly method: string
  /** Path and query, percent-encoded or not. */
  readonly target: string
  readonly headers?: Readonly<Record<string, string>>
  /** Null: neither a body nor a length. */
  readonly body?: string | null
  /** Sends the body in pieces, without a length. */
  readonly chunked?: boolean
}

/**
 * The status, the head, its content type and the body of an answer to a request sent as it is; 0
 * when the connection ended without one.
 */
export function rawRequest(
  url: string,
  { method, target, headers = {}, body = null, chunked = false }: RawRequest,
): Promise<{
  readonly status: number
  readonly head: string
  readonly contentType: string | null
  readonly text: string
}> {
  const { hostname, port, host } = new URL(url)
  const bytes: Buffer | null = body === null ? null : Buffer.from(body)
  const lengths =
    bytes === null ? {} : chunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': String(bytes.byteLength) }
  const lines = Object.entries({ Host: host, Connection: 'close', ...headers, ...lengths })
  const head = `${method} ${target} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
  return new Promise((resolve, reject) => {
    const pieces: Array<Buffer> = []
    const socket = connect(Number(port), hostname, () => {
      socket.write(Buffer.from(head, 'latin1'))
      if (bytes === null) return
      socket.write(chunked ? Buffer.concat([chunk(bytes.subarray(0, 3)), chunk(bytes.subarray(3)), end]) : bytes)
    })
    socket.on('data', (piece) => pieces.push(Buffer.from(piece)))
    socket.on('error', reject)
    // An answer that never ends is none: the caller sees what came until then.
    socket.setTimeout(silentMillis, () => socket.destroy())
    socket.on('close', () => {
      const [head = '', ...body] = Buffer.concat(pieces).toString().split('\r\n\r\n')
      const contentType = /^content-type: (.*)$/im.exec(head)?.[1] ?? null
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0)
      resolve({ status, head: `${head}\r\n`, contentType, text: body.join('\r\n\r\n') })
    })
  })
}

const chunk = (bytes: Uint8Array): Uint8Array =>
  bytes.byteLength === 0
    ? Buffer.alloc(0)
    : Buffer.concat([Buffer.from(`${bytes.byteLength.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])

const end = Buffer.from('0\r\n\r\n')
