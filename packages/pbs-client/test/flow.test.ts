import { once } from 'node:events'
import { createServer } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { Deferred, Effect, Fiber, Stream } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makePbsClient } from '../src/index.ts'
import { type Harness, json, startHarness } from './client-harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await startHarness()
})
afterAll(() => harness.server.close())

const row = (id: number) =>
  JSON.stringify({ 'backup-type': 'vm', 'backup-id': String(id), 'backup-time': 1, comment: 'x'.repeat(500) })
/** Gives other work of the process the turn some times, its sockets included. */
const eventLoopTurns = async () => {
  for (let turn = 0; turn < 10; turn++) await setImmediate()
}

const everything = { store: 'tank', ns: '' }

describe('a slow consumer', () => {
  test('holds the server back', async () => {
    let sent = 0
    const total = 200_000
    harness.answer(async (_, response) => {
      const closed = once(response, 'close')
      response.write('{"data":[')
      for (let id = 0; id < total && !response.destroyed; id++) {
        sent++
        if (!response.write(`${id === 0 ? '' : ','}${row(id)}`)) await Promise.race([once(response, 'drain'), closed])
      }
      response.end(']}')
    })
    const taken = await harness.succeeds((client) =>
      Stream.runFoldEffect(Stream.take(client.snapshots(everything), 1_000), 0, (count) =>
        // A consumer slower than the network: without backpressure the server would send everything.
        Effect.as(Effect.promise(eventLoopTurns), count + 1),
      ),
    )
    expect(taken).toBe(1_000)
    expect(sent).toBeLessThan(total / 2)
  })

  test('that takes a few and leaves closes the request', async () => {
    let finished: Promise<boolean> = Promise.resolve(true)
    harness.answer((_, response) => {
      finished = once(response, 'close').then(() => response.writableFinished)
      response.write(`{"data":[${row(1)},`)
    })
    const taken = await harness.succeeds((client) => Stream.runCount(Stream.take(client.snapshots(everything), 1)))
    expect([taken, await finished]).toEqual([1, false])
  })
})

describe('interruption', () => {
  const interrupted = async (started: string) => {
    let closed: Promise<unknown> = Promise.resolve()
    const arrived = Effect.runSync(Deferred.make<void>())
    harness.answer((_, response) => {
      closed = once(response, 'close')
      if (started !== '') response.write(started)
      Effect.runSync(Deferred.succeed(arrived, undefined))
    })
    return Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const client = yield* makePbsClient(harness.connection({ timeoutSeconds: 60 }))
          const reading = yield* Effect.fork(Stream.runDrain(client.snapshots(everything)))
          yield* Deferred.await(arrived)
          const before = performance.now()
          yield* Fiber.interrupt(reading)
          yield* Effect.promise(() => closed)
          return performance.now() - before
        }),
      ),
    )
  }

  test.each([
    ['before the first byte', ''],
    ['inside the answer', `{"data":[${row(1)},`],
  ])('%s ends the request within a second', async (_name, started) => {
    expect(await interrupted(started)).toBeLessThan(1_000)
  })
})

test('interruption while connecting closes the socket', async () => {
  const silent = createServer()
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const address = silent.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const elapsed = await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const client = yield* makePbsClient(harness.connection({ port, timeoutSeconds: 60 }))
        const reading = yield* Effect.fork(client.version())
        const [socket] = yield* Effect.promise(() => once(silent, 'connection'))
        const before = performance.now()
        const closed = once(
          socket.resume().on('error', () => {}),
          'close',
        )
        yield* Fiber.interrupt(reading)
        yield* Effect.promise(() => closed)
        return performance.now() - before
      }),
    ),
  )
  // Not after the minute that the request may take.
  expect(elapsed).toBeLessThan(30_000)
  silent.close()
})

describe('requests at the same time', () => {
  test('are never more than the concurrency', async () => {
    let open = 0
    let most = 0
    let left = 20
    harness.answer(async (request, response) => {
      open++
      most = Math.max(most, open)
      // Held until every request that is allowed has arrived, and any other could have.
      while (open < Math.min(3, left)) await setImmediate()
      await eventLoopTurns()
      open--
      left--
      json([])(request, response)
    })
    await harness.succeeds(
      (client) =>
        Effect.all(
          Array.from({ length: left }, () => client.datastores()),
          { concurrency: 'unbounded' },
        ),
      {
        concurrency: 3,
      },
    )
    expect(most).toBe(3)
  })

  test('a call made while consuming groups does not wait for them', async () => {
    harness.answer((request, response) => {
      const isGroups = (request.url ?? '').includes('/groups')
      json(isGroups ? [{ 'backup-type': 'vm', 'backup-id': '1' }] : [])(request, response)
    })
    await harness.succeeds((client) => Stream.runForEach(client.groups('tank', ''), () => client.datastores()), {
      concurrency: 1,
    })
    expect(harness.requests().length).toBe(2)
  })

  test('one connection serves one request after the other', async () => {
    const ports = new Set<number | undefined>()
    harness.answer((request, response) => {
      ports.add(request.socket.remotePort)
      json([])(request, response)
    })
    await harness.succeeds((client) => Effect.all([client.datastores(), client.verifyJobs(), client.datastoreUsage()]))
    expect(ports.size).toBe(1)
  })
})

test('a kept connection that the server closed is replaced once', async () => {
  harness.answer((request, response) => {
    if (harness.requests().length === 2) request.socket.destroy()
    else json([])(request, response)
  })
  await harness.succeeds((client) => Effect.all([client.datastores(), client.datastores()]))
  expect(harness.requests().length).toBe(3)
})

test('a server that always closes is asked twice and no more', async () => {
  harness.answer((request) => request.socket.destroy())
  const error = await harness.fails((client) => client.datastores())
  expect([error.reason, harness.requests().length]).toEqual(['unreachable', 2])
})
