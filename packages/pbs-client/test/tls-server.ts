// @peculiar/x509 wants this first.
import 'reflect-metadata'
import { X509Certificate as NodeCertificate, webcrypto } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer as createHttps, type Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createServer as createTls, type SecureVersion, type TLSSocket } from 'node:tls'
import * as x509 from '@peculiar/x509'

/** A self-signed certificate as a PBS has one: no LAN address among its names. */
export interface TestCertificate {
  readonly cert: string
  readonly key: string
  /** SHA-256, upper case with colons, as Node prints it. */
  readonly fingerprint: string
}

export const makeCertificate = async (commonName = 'pbs1.example.net'): Promise<TestCertificate> => {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: `CN=${commonName}`,
      keys,
      signingAlgorithm: algorithm,
      notBefore: new Date(Date.now() - 86_400_000),
      notAfter: new Date(Date.now() + 86_400_000),
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: commonName }])],
    },
    webcrypto,
  )
  const cert = certificate.toString('pem')
  const exported = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  const key = `-----BEGIN PRIVATE KEY-----\n${exported}\n-----END PRIVATE KEY-----\n`
  return { cert, key, fingerprint: new NodeCertificate(cert).fingerprint256 }
}

export interface RunningServer {
  readonly port: number
  readonly server: HttpsServer
  readonly close: () => Promise<void>
}

/** A real HTTPS server on a free port of the loopback. */
export const serveHttps = async (
  certificate: TestCertificate,
  listener: RequestListener,
  host = '127.0.0.1',
): Promise<RunningServer> => {
  const server = createHttps({ cert: certificate.cert, key: certificate.key }, listener)
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const close = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections()
      server.close(() => resolve())
    })
  return { port: portOf(server.address()), server, close }
}

/** A TLS server that answers nothing and keeps every decrypted byte. */
export const recordTls = async (certificate: TestCertificate, maxVersion: SecureVersion = 'TLSv1.3') => {
  const received: Array<Buffer> = []
  const sockets = new Set<TLSSocket>()
  let handshakes = 0
  let connections = 0
  let closed = 0
  const server = createTls({ cert: certificate.cert, key: certificate.key, maxVersion }, (socket) => {
    handshakes++
    sockets.add(socket)
    socket.on('data', (bytes: Buffer) => received.push(bytes))
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  const closings = new EventEmitter()
  server.on('connection', (socket) => {
    connections++
    socket.on('close', () => {
      closed++
      closings.emit('closed')
    })
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: portOf(server.address()),
    bytes: () => Buffer.concat(received).toString('latin1'),
    handshakes: () => handshakes,
    /** When that many connections have come and gone. */
    removed: async (count: number) => {
      while (closed < count) await once(closings, 'closed')
      return connections
    },
    close: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

const portOf = (address: AddressInfo | string | null): number => {
  if (address === null || typeof address === 'string') throw new Error('the server does not listen')
  return address.port
}
