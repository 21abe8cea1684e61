import { type EventEmitter, once } from 'node:events'
import { createServer } from 'node:net'
import { Effect, Exit, Logger, LogLevel, Scope } from 'effect'
import { expect, test } from 'vitest'
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
