import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createCertificate } from '@netbox-pbs/pbs-simulator'

/** A request as the receiver got it. */
export interface Received {
  readonly headers: IncomingHttpHeaders
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it asserts
  readonly json: any
}

/** A receiver of webhooks on loopback. */
export interface WebhookReceiver {
  readonly url: string
  readonly received: Array<Received>
  /** How it answers; with 204 unless a test says otherwise. */
  answer: (response: ServerResponse) => void
  readonly close: () => void
}

/** Starts one; over TLS its certificate is one that no authority has signed. */
export async function startReceiver({ tls = false } = {}): Promise<WebhookReceiver> {
  const received: Array<Received> = []
  const receiver = { received, answer: (response: ServerResponse) => void response.writeHead(204).end() }
  const listener: RequestListener = (request, response) => {
    const pieces: Array<Buffer> = []
    request.on('data', (piece) => pieces.push(piece))
    request.on('end', () => {
      const text = Buffer.concat(pieces).toString()
      received.push({ headers: request.headers, text, json: JSON.parse(text) })
      receiver.answer(response)
    })
  }
  const server = tls
    ? createTlsServer(await createCertificate('receiver', 'receiver'), listener)
    : createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(receiver, {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}/hook`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  })
}

/** The signature that a receiver expects, computed from the bytes it got. */
export const expectedSignature = (secret: string, text: string): string =>
  createHmac('sha512', secret).update(text).digest('hex')
