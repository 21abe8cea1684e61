import { createServer } from 'node:tls'
import { createCertificate } from './tls/certificate.ts'

/** A TLS server that is no PBS: it records requests and answers 401. */
export interface Recorder {
  readonly host: string
  readonly port: number
  /** SHA-256 of its certificate, as it would be pinned. */
  readonly fingerprint: string
  /** All that clients have sent to it inside TLS, as text. */
  readonly received: () => string
  /** Finished TLS handshakes. */
  readonly handshakes: () => number
  readonly close: () => Promise<void>
}

/** Starts a recorder on loopback, for tests of where a secret is sent. */
export const startRecorder = async (seed = 'recorder'): Promise<Recorder> => {
  const certificate = await createCertificate('recorder', seed)
  const chunks: Array<Buffer> = []
  let handshakes = 0
  const server = createServer({ key: certificate.key, cert: certificate.cert }, (socket) => {
    handshakes += 1
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk) => {
      chunks.push(Buffer.from(chunk))
      socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
    })
  })
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  const host = '127.0.0.1'
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, resolve)
  })
  const address = server.address()
  return {
    host,
    port: typeof address === 'object' && address !== null ? address.port : 0,
    fingerprint: certificate.fingerprint,
    received: () => Buffer.concat(chunks).toString('latin1'),
    handshakes: () => handshakes,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
