import type { ServerResponse } from 'node:http'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createCertificate, type Simulator } from '@netbox-pbs/pbs-simulator'
import type { Flood } from './floods.ts'

/** A PBS that answers as a simulated one does, except for one flood. */
export interface FloodingServer {
  readonly port: number
  readonly fingerprint: string
  /** Null: none. */
  flood: Flood | null
  /** Bytes of floods that were taken since the last look. */
  readonly takeBytes: () => number
  readonly close: () => void
}

/** Puts a server that can flood before a simulated one. */
export async function startFlooding(behind: Simulator): Promise<FloodingServer> {
  const certificate = await createCertificate(behind.name, `flood ${behind.name}`)
  let flood: Flood | null = null
  let bytes = 0

  const pour = ({ head, text, most = Number.POSITIVE_INFINITY, tail = '', drips }: Flood, response: ServerResponse) => {
    response.on('error', () => {})
    response.writeHead(200, { 'content-type': 'application/json;charset=UTF-8' }).write(head)
    if (drips) {
      const timer = setInterval(() => {
        bytes += text.length
        response.write(text)
      }, 200)
      return response.once('close', () => clearInterval(timer))
    }
    const piece = Buffer.from(text.repeat(Math.ceil(65_536 / text.length)))
    let sent = 0
    const more = (): unknown => {
      while (!response.destroyed && sent < most) {
        sent += piece.length
        bytes += piece.length
        if (!response.write(piece)) return response.once('drain', more)
      }
      return response.end(tail)
    }
    return more()
  }

  const server = createServer({ cert: certificate.cert, key: certificate.key }, (incoming, response) => {
    const path = (incoming.url ?? '').replace('/api2/json', '').split('?', 1).join('')
    if (flood?.hits(path)) return pour(flood, response)
    const { host: _, ...headers } = incoming.headers
    const forwarded = request(
      { host: behind.host, port: behind.port, path: incoming.url, headers, rejectUnauthorized: false },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      },
    )
    return forwarded.on('error', () => response.destroy()).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    fingerprint: certificate.fingerprint,
    get flood() {
      return flood
    },
    set flood(next) {
      flood = next
    },
    takeBytes: () => {
      const taken = bytes
      bytes = 0
      return taken
    },
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
