import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { Source, type SourceFailed } from '@netbox-pbs/core/ports'
import { Effect, Redacted, Ref, Stream, Tracer } from 'effect'
import { describe, expect, test } from 'vitest'
import { proxboxSourceLayer } from '../src/index.ts'
import { json, ndjson, serve } from './http-server.ts'
import { allOf, framesFrom, key, run } from './source.ts'

const failureOf = (url: string) => run(Effect.flip(allOf(framesFrom(url))))

describe('a gateway that cannot be asked', () => {
  test.each([
    [401, 'Invalid API key. 4 attempts remaining.', 'unauthorized', false],
    [403, 'Forbidden', 'unauthorized', false],
    [429, 'Too many failed attempts.', 'unauthorized', true],
    [500, 'Internal Server Error', 'unreachable', true],
    [503, 'Busy', 'unreachable', true],
  ])('the error of %i has its reason and the next step', async (status, detail, code, retryable) => {
    const [failed, requests] = await run(
      Effect.gen(function* () {
        const { url, seen } = yield* serve((_, response) => json(response, status, { detail }))
        return [yield* Effect.flip(allOf(framesFrom(url))), seen] as const
      }),
    )
    expect(failed).toMatchObject({ code, retryable })
    expect(failed.message).toContain(`("${detail}"): `)
    // A POST is never tried again.
    expect(requests).toHaveLength(1)
  })

  test('a key that the gateway repeats is not in the error', async () => {
    const failed = await run(
      Effect.gen(function* () {
        const { url } = yield* serve((_, response) => json(response, 401, { detail: `Bad key ${key}` }))
        return yield* Effect.flip(allOf(framesFrom(url)))
      }),
    )
    expect(failed.message).toContain('("Bad key ***")')
    expect(everythingIn(failed)).not.toContain(key)
  })

  test('an endless reason is not read completely', { timeout: 5000 }, async () => {
    const failed = await run(
      Effect.gen(function* () {
        const { url } = yield* serve(async (_, response) => {
          const closed = once(response, 'close')
          response.writeHead(401, { 'content-type': 'application/json' })
          while (!response.destroyed) {
            if (!response.write('x'.repeat(65_536))) await Promise.race([once(response, 'drain'), closed])
          }
        })
        return yield* Effect.flip(allOf(framesFrom(url)))
      }),
    )
    expect(failed.code).toBe('unauthorized')
    expect(failed.message.length).toBeLessThan(300)
  })

  test('a redirect is an error and is not followed', async () => {
    const [failed, followed] = await run(
      Effect.gen(function* () {
        const other = yield* serve((_, response) => ndjson(response).end())
        const { url } = yield* serve((_, response) => response.writeHead(307, { location: other.url }).end())
        return [yield* Effect.flip(allOf(framesFrom(url))), other.seen] as const
      }),
    )
    expect(failed).toMatchObject({ code: 'protocol', retryable: false })
    expect(failed.message).toContain('redirects (307)')
    expect(followed).toEqual([])
  })

  test('a closed port', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo // A TCP server's address has a port.
    server.close()
    await once(server, 'close')
    const failed = await failureOf(`http://127.0.0.1:${port}`)
    expect(failed).toMatchObject({ code: 'unreachable', retryable: true })
    expect(failed.message).toBe(
      `the gateway at http://127.0.0.1:${port} cannot be reached (ECONNREFUSED): check that it runs and that its address is right`,
    )
    expect(everythingIn(failed)).not.toContain(key)
  })

  test('a TLS handshake that never ends', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo // A TCP server's address has a port.
    try {
      const frames = framesFrom(`https://127.0.0.1:${port}`, { resource: 'jobs' }, { connect: '100 millis' })
      expect(await run(Effect.flip(allOf(frames)))).toMatchObject({ code: 'timeout', retryable: true })
    } finally {
      server.close()
    }
  })

  test('something that is not HTTP', async () => {
    const server = createServer((socket) => socket.on('error', () => {}).end('220 mail ready\r\n')).listen(
      0,
      '127.0.0.1',
    )
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo // A TCP server's address has a port.
    try {
      expect(await failureOf(`http://127.0.0.1:${port}`)).toMatchObject({ code: 'protocol', retryable: false })
    } finally {
      server.close()
    }
  })
})

describe('a gateway that never ends', () => {
  const line = '{"frame":"scope","resource":"servers"}\n'
  test.each([
    ['a byte now and then inside a line', line, ' ', 100, '1 second', 'timeout'],
    ['brackets as fast as they are taken', line, '['.repeat(65_536), 0, '1 minute', 'protocol'],
    ['empty lines as fast as they are taken', line, '\n'.repeat(65_536), 0, '1 minute', 'protocol'],
  ] as const)('%s ends the stream', async (_, head, text, pause, silence, code) => {
    const failed = await run(
      Effect.gen(function* () {
        const { url } = yield* serve((__, response) => {
          ndjson(response).write(head)
          const more = () => {
            if (response.destroyed) return
            if (pause > 0) {
              response.write(text)
              setTimeout(more, pause)
            } else if (response.write(text)) setImmediate(more)
            else response.once('drain', more)
          }
          more()
        })
        return yield* Effect.flip(allOf(framesFrom(url, { resource: 'servers' }, { silence })))
      }),
    )
    expect(failed.code).toBe(code)
  })
})

describe('a trace', () => {
  test('says what was asked for, and holds nothing of the key', async () => {
    const attributes = await run(
      Effect.gen(function* () {
        const { url } = yield* serve((_, response) => ndjson(response).end('{"frame":"end","items":[]}\n'))
        const native = yield* Effect.tracer
        const spans: Array<Tracer.Span> = []
        const tracer = Tracer.make({
          span: (...args) => {
            const span = native.span(...args)
            spans.push(span)
            return span
          },
          context: (step) => step(),
        })
        yield* Effect.withTracer(allOf(framesFrom(url)), tracer)
        return spans.flatMap((span) => [...span.attributes])
      }),
    )
    expect(attributes).toContainEqual(['http.request.method', 'POST'])
    expect(attributes).toContainEqual(['url.path', '/pbs/sync/snapshots'])
    expect(JSON.stringify(attributes)).not.toContain(key)
  })
})

describe('the address', () => {
  test.each([
    ['no URL', 's3cret'],
    ['another scheme', 'ftp://s3cret'],
    ['a password in it', 'http://user:s3cret@127.0.0.1:1'],
    ['a query in it', 'http://127.0.0.1:1/?token=s3cret'],
  ])('%s is refused without being repeated', async (_, url) => {
    const failed = await failureOf(url)
    expect(failed).toMatchObject({ code: 'protocol', retryable: false })
    expect(failed.message).not.toContain('s3cret')
  })

  test('a key that no header can carry is refused', async () => {
    const address = Effect.succeed({ url: 'http://127.0.0.1:1', key: Redacted.make('line\nbreak') })
    const failed = await run(Effect.flip(readOnce(address)))
    expect(failed.message).toMatch(/^the key of the gateway holds characters that no HTTP header can carry/)
  })

  test('is asked for at every call', async () => {
    const seen = await run(
      Effect.gen(function* () {
        const end = '{"frame":"end","items":[]}\n'
        const one = yield* serve((_, response) => ndjson(response).end(end))
        const two = yield* serve((_, response) => ndjson(response).end(end))
        const url = yield* Ref.make(one.url)
        const address = Effect.map(Ref.get(url), (now) => ({ url: now, key: Redacted.make(key) }))
        yield* Effect.gen(function* () {
          const source = yield* Source
          yield* Stream.runDrain(source.frames({ resource: 'jobs' }))
          yield* Ref.set(url, `${two.url}/proxbox/`)
          yield* Stream.runDrain(source.frames({ resource: 'jobs' }))
        }).pipe(Effect.provide(proxboxSourceLayer({ address })))
        return [one.seen.map(({ path }) => path), two.seen.map(({ path }) => path)]
      }),
    )
    expect(seen).toEqual([['/pbs/sync/jobs'], ['/proxbox/pbs/sync/jobs']])
  })

  test('one that cannot be read says why', async () => {
    const failed = await run(Effect.flip(readOnce(Effect.fail({ message: 'no gateway is set: enter its address' }))))
    expect(failed).toMatchObject({ code: 'unreachable', message: 'no gateway is set: enter its address' })
  })
})

const readOnce = (address: Parameters<typeof proxboxSourceLayer>[0]['address']) =>
  Effect.flatMap(Source, (source) => Stream.runDrain(source.frames({ resource: 'jobs' }))).pipe(
    Effect.provide(proxboxSourceLayer({ address })),
  )

/** An error as a logger could print it, causes included. */
const everythingIn = (failed: SourceFailed): string =>
  [String(failed), failed.stack, JSON.stringify(failed), inspect(failed)].join('\n')

const inspect = (value: unknown, depth = 0): string =>
  typeof value === 'object' && value !== null && depth < 6
    ? Object.getOwnPropertyNames(value)
        .map((name) => `${name}: ${inspect(Reflect.get(value, name), depth + 1)}`)
        .join('\n')
    : String(value)
