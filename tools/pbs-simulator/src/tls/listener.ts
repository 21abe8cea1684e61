import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Certificate } from './certificate.ts'

/** How a {@link Listener} reports and decides about connections. */
interface ListenerOptions {
  readonly host: string
  readonly port: number
  readonly certificate: Certificate
  readonly onRequest: RequestListener
  /** Called for each TCP connection; false resets it before any byte. */
  readonly onConnection: () => boolean
  /** Called after each finished TLS handshake. */
  readonly onSecureConnection: () => void
}

/** The port of a simulated PBS: TLS, and a redirect for clients that speak plain HTTP. */
interface Listener {
  readonly port: number
  readonly useCertificate: (certificate: Certificate) => void
  /** Stops listening and drops every connection; clients then get ECONNREFUSED. */
  readonly stop: () => Promise<void>
  /** Listens again on the same port. */
  readonly start: () => Promise<void>
}

const TLS_HANDSHAKE = 0x16

const listen = (server: Server, port: number, host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.removeListener('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })

/**
 * Opens the port.
 *
 * Built from `node:tls` and `node:http` instead of `node:https`, because the latter always offers ALPN and PBS does
 * not. The first byte tells TLS from plain HTTP.
 */
export const openListener = async (options: ListenerOptions): Promise<Listener> => {
  const sockets = new Set<Socket>()
  const http = createHttpServer({ maxHeaderSize: 65_536, keepAliveTimeout: 65_000 }, options.onRequest)
  const plain = createHttpServer(redirectToHttps)
  const tls = createTlsServer({ key: options.certificate.key, cert: options.certificate.cert }, (socket) => {
    options.onSecureConnection()
    socket.on('error', () => socket.destroy())
    http.emit('connection', socket)
  })
  tls.on('tlsClientError', (_error, socket) => socket.destroy())

  // As hyper does: with Nagle a small answer would wait for the delayed ACK of the client, 40 ms.
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    if (!options.onConnection()) {
      socket.resetAndDestroy()
      return
    }
    socket.once('readable', () => {
      const first: unknown = socket.read(1)
      if (!Buffer.isBuffer(first)) return
      socket.unshift(first)
      ;(first[0] === TLS_HANDSHAKE ? tls : plain).emit('connection', socket)
    })
  })

  const port = await listen(server, options.port, options.host)
  const drop = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port,
    useCertificate: ({ key, cert }) => {
      tls.setSecureContext({ key, cert })
      drop()
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        drop()
      }),
    start: async () => {
      await listen(server, port, options.host)
    },
  }
}

/** PBS's answer to plain HTTP: 301 for GET and HEAD, 308 otherwise; the path is dropped. */
const redirectToHttps: RequestListener = (request, response) => {
  const status = request.method === 'GET' || request.method === 'HEAD' ? 301 : 308
  const host = request.headers.host
  if (host === undefined) response.writeHead(400)
  else response.writeHead(status, { location: `https://${host}` })
  response.end()
}
