import { type EventEmitter, once } from 'node:events'
import { connect, createServer } from 'node:net'
import { Readable } from 'node:stream'
import { Effect, Exit, Logger, LogLevel, Scope } from 'effect'
import { describe, expect, test } from 'vitest'
import { serveHttp } from './serve-http.ts'

const service = { who: 'the test', host: '127.0.0.1', port: 0, requestTimeout: 5000 }

test('serves until its scope closes, and lets a running answer end', async () => {
  const scope = await Effect.runPromise(Scope.make())
  const started = Promise.withResolvers<() => void>()
  const listener = serveHttp({ ...service, listener: (_, response) => started.resolve(() => response.end('done')) })
  const { url } = await Effect.runPromise(Scope.extend(listener, scope))
  const answer = fetch(url)
  const finish = await started.promise
  const closed = Effect.runPromise(Scope.close(scope, Exit.void))
  finish()
  expect(await (await answer).text()).toBe('done')
  await closed
  await expect(fetch(url)).rejects.toThrow()
})

test('says that a port is in use, and which flag chooses another', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const address = taken.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const serving = serveHttp({ ...service, port, portFlag: '--gateway-port', listener: () => undefined })
  const result = await Effect.runPromise(Effect.either(Effect.scoped(serving)))
  taken.close()
  expect(result).toMatchObject({ _tag: 'Left', left: { _tag: 'CannotListen', reason: 'port_in_use' } })
  expect(result._tag === 'Left' && result.left.message).toBe(
    `the test cannot listen on 127.0.0.1:${port}: the port is in use; stop what listens there or choose another with --gateway-port`,
  )
})

test.each([
  [
    'a listener that throws',
    () => {
      throw new Error('broken')
    },
  ],
  ['a listener that rejects', () => Promise.reject(new Error('broken'))],
])('%s ends that connection alone', async (_, broken) => {
  await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const { url } = yield* serveHttp({
          ...service,
          listener: (request, response) => (request.url === '/broken' ? broken() : void response.end('well')),
        })
        yield* Effect.promise(() => expect(fetch(`${url}/broken`)).rejects.toThrow())
        expect(yield* Effect.promise(() => fetch(url).then((reply) => reply.text()))).toBe('well')
      }),
    ).pipe(Logger.withMinimumLogLevel(LogLevel.None)),
  )
})

test('an error of the listening socket, such as too many open files, does not end the process', async () => {
  const events: Array<unknown> = []
  await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const { url } = yield* serveHttp({
          ...service,
          listener: ({ socket }, response) => {
            const { server } = socket as typeof socket & { readonly server: EventEmitter }
            events.push(server.emit('error', new Error('accept EMFILE')))
            response.end('well')
          },
        })
        expect(yield* Effect.promise(() => fetch(url).then((reply) => reply.text()))).toBe('well')
      }),
    ),
  )
  expect(events).toEqual([true])
})

/**
 * Sends a head and then pieces until all are sent or the connection ends; gives what came back, and
 * how the connection ended.
 */
const sendOn = (url: string, header: string, pieces: Iterable<Uint8Array>) =>
  new Promise<{ readonly text: string; readonly error: string | null }>((resolve) => {
    const { port, hostname } = new URL(url)
    const came: Array<Buffer> = []
    let error: string | null = null
    const socket = connect(Number(port), hostname, () => {
      socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n`)
      // As fast as the other end takes them, and until the connection ends.
      Readable.from(pieces).pipe(socket, { end: false })
    })
    socket.on('data', (bytes) => came.push(Buffer.from(bytes)))
    socket.on('error', ({ message }) => {
      error = message
    })
    socket.on('close', () => resolve({ text: Buffer.concat(came).toString(), error }))
  })

const megabyte = Buffer.alloc(1024 * 1024, 'x')
const chunk = Buffer.concat([Buffer.from('100000\r\n'), megabyte, Buffer.from('\r\n')])
function* twenty(piece: Uint8Array, last: string): Generator<Uint8Array> {
  for (let sent = 0; sent < 20; sent += 1) yield piece
  yield Buffer.from(last)
}
function* endless(): Generator<Uint8Array> {
  for (;;) yield chunk
}

describe('a client that sends on after its answer', () => {
  const refusing = serveHttp({
    ...service,
    requestTimeout: 300_000,
    listener: (request, response) =>
      // The listener reads the beginning of a body and then rejects it.
      void request.once('data', () => {
        request.pause()
        response.writeHead(413, { 'Content-Length': 9 })
        response.end('too large')
      }),
  })
  const sending = (header: string, pieces: Iterable<Uint8Array>) =>
    Effect.runPromise(
      Effect.scoped(Effect.flatMap(refusing, ({ url }) => Effect.promise(() => sendOn(url, header, pieces)))),
    )

  test.each([
    ['with a length', `Content-Length: ${20 * megabyte.byteLength}`, () => twenty(megabyte, '')],
    ['in chunks', 'Transfer-Encoding: chunked', () => twenty(chunk, '0\r\n\r\n')],
  ])('gets it whole, and no reset (%s)', async (_, header, pieces) => {
    const { text, error } = await sending(header, pieces())
    expect(error).toBeNull()
    expect(text).toMatch(/^HTTP\/1\.1 413 /)
    expect(text).toMatch(/\r\nConnection: close\r\n/i)
    expect(text.endsWith('too large')).toBe(true)
  })

  test('gets it whole before it has sent all, and can send the rest', async () => {
    const came = Promise.withResolvers<boolean>()
    const redirecting = serveHttp({
      ...service,
      requestTimeout: 300_000,
      listener: (request, response) =>
        void request.once('data', () => {
          request.once('close', () => came.resolve(request.complete))
          response.writeHead(303, { Location: '/' })
          response.end()
        }),
    })
    await Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const { port } = yield* redirecting
          const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
          socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nhalf')
          let answer = ''
          socket.setEncoding('utf8').on('data', (text) => {
            answer += text
          })
          yield* Effect.promise(() => once(socket, 'end'))
          expect(answer.startsWith('HTTP/1.1 303 ') && answer.endsWith('\r\n\r\n0\r\n\r\n')).toBe(true)
          socket.end('rest')
          expect(yield* Effect.promise(() => came.promise)).toBe(true)
        }),
      ),
    )
  })

  test('gets it before it is cut off, when it never ends', async () => {
    expect((await sending('Transfer-Encoding: chunked', endless())).text.endsWith('too large')).toBe(true)
  })
})

test('a connection is kept for the next request when the request has come in whole', async () => {
  await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const { url } = yield* serveHttp({
          ...service,
          listener: (request, response) => void request.resume().on('end', () => response.end('well')),
        })
        const reply = yield* Effect.promise(() => fetch(url, { method: 'POST', body: 'x' }))
        expect([yield* Effect.promise(() => reply.text()), reply.headers.get('connection')]).toEqual([
          'well',
          'keep-alive',
        ])
      }),
    ),
  )
})
