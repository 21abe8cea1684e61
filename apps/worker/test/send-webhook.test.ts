import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { DueDelivery } from '@netbox-pbs/core/ports'
import { Effect, Option, Redacted } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sendWebhook } from '../src/webhooks/send-webhook.ts'

const allowedNetworks = ['127.0.0.0/8']

/** What the receiver got, and how it answers. */
interface Received {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}
let received: Array<Received> = []
let answer: (response: ServerResponse) => void = (response) => response.writeHead(204).end()
let server: Server
let port: number

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (piece) => {
      body += piece
    })
    request.on('end', () => {
      received.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body })
      answer(response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const due = (change: Partial<DueDelivery> = {}): DueDelivery => ({
  id: 1,
  uuid: '5c0f2f7e-0000-4000-8000-000000000009',
  attempt: 1,
  method: 'POST',
  url: `http://127.0.0.1:${port}/hook?a=1`,
  content_type: 'application/json',
  headers: [['X-Site', 'berlin']],
  body: '{"event":"updated","data":{"comment":"caf\u00e9 \u2713"}}',
  secret: Option.some(Redacted.make('hush')),
  ssl_verification: true,
  ...change,
})

const send = (change: Partial<DueDelivery> = {}, options: Partial<Parameters<typeof sendWebhook>[1]> = {}) => {
  received = []
  return Effect.runPromise(sendWebhook(due(change), { allowedNetworks, ...options }))
}

test('sends the body as it is, signed with HMAC-SHA512 over its bytes', async () => {
  answer = (response) => response.writeHead(200).end('thanks')
  expect(await send()).toEqual({ delivered: true, final: false, status: 200, response: 'thanks', error: '' })
  const [{ method, url, headers, body } = { method: '', url: '', headers: {}, body: '' }] = received
  expect([method, url, body]).toEqual(['POST', '/hook?a=1', due().body])
  expect(headers).toMatchObject({
    'content-type': 'application/json',
    'x-site': 'berlin',
    'x-hook-delivery': due().uuid,
    'x-hook-signature': createHmac('sha512', 'hush').update(Buffer.from(due().body)).digest('hex'),
  })
})

test('signs nothing without a secret, and takes every method', async () => {
  answer = (response) => response.writeHead(204).end()
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE'] as const) {
    expect(await send({ method, secret: Option.none() })).toMatchObject({ delivered: true, status: 204 })
    expect(received).toMatchObject([{ method, body: due().body }])
    expect(received[0]?.headers['x-hook-signature']).toBeUndefined()
  }
})

describe('an attempt fails', () => {
  test.each([301, 400, 404, 410, 500, 503])('with the status %d, and follows no redirect', async (status) => {
    answer = (response) => response.writeHead(status, { Location: '/elsewhere' }).end('no')
    const error = `The receiver answered with status ${status}.`
    expect(await send()).toEqual({ delivered: false, final: false, status, response: 'no', error })
    expect(received).toHaveLength(1)
  })

  test('when the receiver is silent', async () => {
    const error = 'There was no response within 0.2 seconds.'
    answer = () => undefined
    expect(await send({}, { timeLimitMillis: 200 })).toMatchObject({
      delivered: false,
      final: false,
      status: null,
      error,
    })
  })

  test('when nothing listens', async () => {
    const { port: closed } = await new Promise<AddressInfo>((resolve) => {
      const other = createServer().listen(0, '127.0.0.1', () => {
        const address = other.address() as AddressInfo
        other.close(() => resolve(address))
      })
    })
    expect(await send({ url: `http://127.0.0.1:${closed}/` })).toEqual({
      ...{ delivered: false, final: false, status: null, response: '' },
      error: `The receiver could not be reached: connect ECONNREFUSED 127.0.0.1:${closed}.`,
    })
  })

  test('when the receiver ends the connection', async () => {
    answer = (response) => response.destroy()
    expect(await send()).toMatchObject({ delivered: false, final: false, status: null })
  })

  test.each(['127.0.0.1', 'localhost', '[::1]', '2130706433'])('for good, when %s is not allowed', async (host) => {
    answer = (response) => response.writeHead(204).end()
    const refused = await send({ url: `http://${host}:${port}/` }, { allowedNetworks: ['10.0.0.0/8'] })
    expect(refused).toMatchObject({ delivered: false, final: true, status: null })
    expect(refused.error).toContain('webhook_allowed_networks')
    expect(received).toEqual([])
  })
})

test('takes the status of an answer whose body never ends', async () => {
  answer = (response) => response.writeHead(200).write('a')
  expect(await send({}, { timeLimitMillis: 200 })).toMatchObject({ delivered: true, status: 200, response: 'a' })
})

test('reads only the beginning of an answer without end', async () => {
  answer = (response) => {
    const more = () => {
      while (response.write('x'.repeat(10_000)));
      response.once('drain', more)
    }
    response.writeHead(200)
    more()
  }
  const { delivered, response } = await send()
  expect([delivered, response]).toEqual([true, 'x'.repeat(4096)])
})
