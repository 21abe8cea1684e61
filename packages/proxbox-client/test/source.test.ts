import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import type { SourceFrame } from '@netbox-pbs/core/ports'
import { Deferred, Effect, Fiber, Option, Stream } from 'effect'
import { describe, expect, test } from 'vitest'
import { encodeFrame, type Frame, maxFrameBytes } from '../src/contract/index.ts'
import { bytesOf, everyFrame, groupFrame } from './frames.ts'
import { json, ndjson, serve } from './http-server.ts'
import { allOf, framesFrom, key, run } from './source.ts'

/** The frames that a gateway's bytes become. */
const framesOfBytes = (bytes: Buffer | string) =>
  Effect.flatMap(
    serve((_, response) => ndjson(response).end(bytes)),
    ({ url }) => allOf(framesFrom(url)),
  )

describe('the frames of a stream', () => {
  test('every kind of frame arrives in the words of core', async () => {
    const frames = await run(framesOfBytes(bytesOf(everyFrame)))
    const snapshots = { resource: 'snapshots', server: 'pbs-a', datastore: 'tank', namespace: 'site-a' }
    expect(frames.filter((frame) => frame._tag !== 'group')).toEqual([
      { _tag: 'scope', scope: { resource: 'servers' } },
      {
        _tag: 'server',
        facts: {
          name: 'pbs-a',
          host: 'pbs-a.example',
          port: 8007,
          token_id: 'sync@pbs!netbox',
          fingerprint: '',
          verify_ssl: true,
          timeout_seconds: 30,
          version: '4.2.1',
          timezone: 'Europe/Vienna',
          endpoint_id: 3,
        },
        observed: { status: 'reachable', last_seen_at: '2026-05-02T00:00:00.25Z', latency_ms: 12, tls_checked: true },
      },
      { _tag: 'complete', scope: { resource: 'servers' }, count: 1, visibility: null, leftOut: 0 },
      { _tag: 'scope', scope: { resource: 'datastores', server: 'pbs-a' } },
      {
        _tag: 'datastore',
        server: 'pbs-a',
        facts: { name: 'tank', path: '/mnt/tank', comment: '', maintenance: '', mount_status: '', backend_type: '' },
        observed: {
          used_bytes: 1,
          total_bytes: 2,
          avail_bytes: null,
          gc_status: 'ok',
          estimated_full_at: null,
          ...{
            gc_index_bytes: null,
            gc_disk_bytes: null,
            gc_removed_bytes: null,
            gc_pending_bytes: null,
            gc_bad_chunks: null,
            last_gc_at: null,
            last_gc_end: null,
          },
        },
      },
      { _tag: 'complete', scope: { resource: 'datastores', server: 'pbs-a' }, count: 1, visibility: 'v1', leftOut: 0 },
      { _tag: 'scope', scope: { resource: 'namespaces', server: 'pbs-a', datastore: 'tank' } },
      { _tag: 'namespace', server: 'pbs-a', facts: { datastore_name: 'tank', path: 'site-a' } },
      {
        _tag: 'complete',
        scope: { resource: 'namespaces', server: 'pbs-a', datastore: 'tank' },
        count: 1,
        visibility: 'v1',
        leftOut: 0,
      },
      { _tag: 'scope', scope: snapshots },
      { _tag: 'warning', scope: snapshots, code: 'unknown_enum_value', message: 'backup type "tape"' },
      { _tag: 'complete', scope: snapshots, count: 2, visibility: 'v1', leftOut: 0 },
      { _tag: 'scope', scope: { resource: 'jobs', server: 'pbs-a', job_type: 'verify' } },
      {
        _tag: 'job',
        server: 'pbs-a',
        facts: {
          job_type: 'verify',
          job_id: 'v-1',
          store: 'tank',
          namespace: '',
          remote: '',
          schedule: 'daily',
          comment: '',
          disable: false,
          options: { 'outdated-after': 30 },
        },
        observed: {
          last_run_state: 'ok',
          last_run_error: '',
          last_run_endtime: '2026-05-01T02:00:00Z',
          next_run: null,
        },
      },
      {
        _tag: 'failed',
        scope: { resource: 'jobs', server: 'pbs-a', job_type: 'verify' },
        code: 'tls_untrusted',
        message: 'no chain',
        retryable: false,
        presentedFingerprint: '22:22',
      },
      { _tag: 'scope', scope: { resource: 'tasks', server: 'pbs-a' } },
      {
        _tag: 'task',
        server: 'pbs-a',
        facts: {
          upid: 'UPID:pbs-a:000003F2:00001A2B:0000002E:6A1DF2D4:backup:tank\\x3avm-101:backup@pbs!pve:',
          node: 'pbs-a',
          worker_type: 'backup',
          worker_id: 'tank:vm/101',
          user: 'backup@pbs!pve',
          starttime: '2026-06-01T21:00:04Z',
          datastore_name: 'tank',
          namespace: '',
          backup_type: 'vm',
          backup_id: '101',
          job_type: '',
          job_id: '',
        },
        observed: { endtime: '2026-06-01T21:03:19Z', outcome: 'ok', status: 'OK' },
      },
      { _tag: 'complete', scope: { resource: 'tasks', server: 'pbs-a' }, count: 1, visibility: 'v1', leftOut: 0 },
      { _tag: 'end' },
    ])
  })

  test('a scope says how many of its rows could not be read, and which', async () => {
    const scope = { resource: 'datastores', server: 'pbs-a' } as const
    const unreadable = { code: 'row_unreadable', message: 'row 2 has no readable "store"' }
    const frames = await run(
      framesOfBytes(
        bytesOf([
          { frame: 'scope', ...scope },
          { frame: 'warning', ...scope, ...unreadable },
          { frame: 'complete', ...scope, count: 0, visibility: 'v1', left_out: 1 },
          { frame: 'end', items: [] },
        ]),
      ),
    )
    expect(frames).toEqual([
      { _tag: 'scope', scope },
      { _tag: 'warning', scope, ...unreadable },
      { _tag: 'complete', scope, count: 0, visibility: 'v1', leftOut: 1 },
      { _tag: 'end' },
    ])
  })

  test('a group is known by the digest of its line and parsed on demand', async () => {
    const group = groupFrame('100', 2)
    const frames = await run(framesOfBytes(bytesOf([group, { frame: 'end', items: [] }])))
    const [first] = frames
    if (first?._tag !== 'group') throw new Error('expected a group')
    const line = encodeFrame(group).slice(0, -1)
    expect(first).toMatchObject({ server: 'pbs-a', digest: createHash('sha256').update(line).digest('hex') })

    const parsed = await run(first.parse)
    const groupKey = { datastore_name: 'tank', namespace: 'site-a', backup_type: 'vm', backup_id: '100' }
    expect(parsed).toEqual({
      facts: { ...groupKey, owner: 'root@pam', comment: 'für "100"' },
      snapshots: group.snapshots,
      listDigest: null,
    })
  })

  test('a group whose keys stand in another order is the same group', async () => {
    const { snapshots, server, ...rest } = groupFrame('100', 1)
    const shuffled = JSON.stringify({ snapshots, ...rest, extra: 1, server })
    const end = '{"frame":"end","items":[]}\n'
    const [frames, canonical] = await run(
      Effect.all([framesOfBytes(`${shuffled}\n${end}`), framesOfBytes(encodeFrame(groupFrame('100', 1)) + end)]),
    )
    expect(await facts(frames)).toEqual(await facts(canonical))
  })

  test.each([
    ['pbs "b"', '\\"'],
    ['pbs-ä\\', '\\\\'],
  ])('a server named %s is read from the beginning of a group', async (server, escaped) => {
    const line = encodeFrame({ ...groupFrame('100'), server })
    expect(line).toContain(escaped)
    const frames = await run(framesOfBytes(`${line}{"frame":"end","items":[]}\n`))
    expect(frames[0]).toMatchObject({ _tag: 'group', server })
  })

  test('one byte at a time', async () => {
    const bytes = bytesOf(everyFrame.slice(0, 4).concat({ frame: 'end', items: [] }))
    const frames = await run(
      Effect.flatMap(
        serve(async (_, response) => {
          ndjson(response)
          response.socket?.setNoDelay(true)
          for (const byte of bytes) {
            response.write(Buffer.of(byte))
            await setImmediate()
          }
          response.end()
        }),
        ({ url }) => allOf(framesFrom(url)),
      ),
    )
    expect(frames.map((frame) => frame._tag)).toEqual(['scope', 'server', 'complete', 'scope', 'end'])
  })
})

describe('the request', () => {
  test('names what to list, asks for frames and carries the key in both headers', async () => {
    const seen = await run(
      Effect.gen(function* () {
        const server = yield* serve((_, response) => ndjson(response).end('{"frame":"end","items":[]}\n'))
        yield* allOf(framesFrom(`${server.url}/`, { resource: 'datastores', servers: ['pbs-a'], datastores: ['tank'] }))
        return server.seen
      }),
    )
    expect(seen).toHaveLength(1)
    expect(seen[0]).toMatchObject({
      method: 'POST',
      path: '/pbs/sync/datastores',
      headers: {
        accept: 'application/x-ndjson',
        'content-type': 'application/json',
        'x-proxbox-api-key': key,
        authorization: `Bearer ${key}`,
      },
    })
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ servers: ['pbs-a'], datastores: ['tank'] })
  })
})

describe('the network', () => {
  test('the gateway is read no faster than the stream is pulled', async () => {
    const line = Buffer.from(encodeFrame(groupFrame('100', 200)))
    const lines = Math.ceil((96 * 1024 * 1024) / line.length)
    let sent = 0
    let taken = 0
    let lead = 0
    await run(
      Effect.gen(function* () {
        const { url } = yield* serve(async (_, response) => {
          ndjson(response)
          for (let count = 0; count < lines; count += 1) {
            sent += line.length
            if (!response.write(line)) await new Promise((resolve) => response.once('drain', resolve))
          }
          response.end('{"frame":"end","items":[]}\n')
        })
        yield* Stream.runForEach(framesFrom(url), (frame) =>
          Effect.promise(async () => {
            if (frame._tag !== 'group') return
            taken += line.length
            lead = Math.max(lead, sent - taken)
            // A consumer slower than the network: without backpressure the server could send
            // several frames.
            for (let turn = 0; turn < 4; turn += 1) await setImmediate()
          }),
        )
      }),
    )
    expect(taken).toBe(lines * line.length)
    // The size of the socket buffers in the kernel and at the two ends, far from the whole.
    expect(lead).toBeLessThan(24 * 1024 * 1024)
  })

  test('interrupting the stream closes the connection', { timeout: 5000 }, async () => {
    await run(
      Effect.gen(function* () {
        const closed = yield* Deferred.make<{ readonly finished: boolean }>()
        const first = yield* Deferred.make<void>()
        const { url } = yield* serve((_, response) => {
          response.on('close', () =>
            Deferred.unsafeDone(closed, Effect.succeed({ finished: response.writableFinished })),
          )
          ndjson(response).write('{"frame":"scope","resource":"servers"}\n')
        })
        const reading = yield* Effect.fork(Stream.runForEach(framesFrom(url), () => Deferred.succeed(first, undefined)))
        yield* Deferred.await(first)
        yield* Fiber.interrupt(reading)
        expect(yield* Deferred.await(closed)).toEqual({ finished: false })
      }),
    )
  })

  test('taking a few frames closes the connection too', { timeout: 5000 }, async () => {
    await run(
      Effect.gen(function* () {
        const closed = yield* Deferred.make<void>()
        const { url } = yield* serve((_, response) => {
          response.on('close', () => Deferred.unsafeDone(closed, Effect.void))
          ndjson(response).write('{"frame":"scope","resource":"servers"}\n')
        })
        const taken = yield* Stream.runHead(framesFrom(url))
        expect(Option.getOrNull(taken)).toEqual({ _tag: 'scope', scope: { resource: 'servers' } })
        yield* Deferred.await(closed)
      }),
    )
  })
})

describe('a stream that is not whole', () => {
  test('without its end it was cut off, after what had arrived', async () => {
    const seen: Array<SourceFrame> = []
    const failed = await run(
      Effect.gen(function* () {
        const { url } = yield* serve((_, response) => ndjson(response).end(bytesOf(everyFrame.slice(0, 2))))
        return yield* Stream.runForEach(framesFrom(url), (frame) => Effect.sync(() => seen.push(frame))).pipe(
          Effect.flip,
        )
      }),
    )
    expect(seen.map((frame) => frame._tag)).toEqual(['scope', 'server'])
    expect(failed).toMatchObject({ code: 'cut_off', retryable: true })
  })

  test('a connection that broke was cut off', async () => {
    const failed = await run(
      Effect.gen(function* () {
        const { url } = yield* serve((_, response) => {
          ndjson(response).write(bytesOf(everyFrame.slice(0, 2)), () => response.destroy())
        })
        return yield* Effect.flip(allOf(framesFrom(url)))
      }),
    )
    expect(failed).toMatchObject({ code: 'cut_off', retryable: true })
  })

  test('a connection that breaks after the end broke nothing', async () => {
    const frames = await run(
      Effect.gen(function* () {
        const { url } = yield* serve((_, response) => {
          ndjson(response).write('{"frame":"end","items":[]}\n', () => response.destroy())
        })
        return yield* allOf(framesFrom(url))
      }),
    )
    expect(frames).toEqual([{ _tag: 'end' }])
  })

  test('a gateway that falls silent timed out', async () => {
    const failed = await run(
      Effect.gen(function* () {
        const { url } = yield* serve((_, response) =>
          ndjson(response).write('{"frame":"scope","resource":"servers"}\n'),
        )
        return yield* Effect.flip(allOf(framesFrom(url, { resource: 'servers' }, { silence: '50 millis' })))
      }),
    )
    expect(failed).toMatchObject({ code: 'timeout', retryable: true })
    expect(failed.message).toMatch(/^the gateway sent nothing for 50ms: /)
  })
})

describe('a stream that breaks the contract', () => {
  const datastore = encodeFrame(everyFrame.find((frame) => frame.frame === 'datastore') as Frame)
  const scope = '{"frame":"scope","resource":"servers"}\n'

  test.each([
    ['no JSON', `${scope}{"frame":s3cret}\n`, /^frame 2 of the gateway's stream: is not JSON; check/],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d, 0x0a]), /^frame 1 of .*is not UTF-8/],
    ['no object', `${scope}"s3cret"\n`, /^frame 2 of .*frame: is not one that this release knows/],
    ['an unknown frame', '{"frame":"s3cret"}\n', /^frame 1 of .*frame: is not one that this release knows/],
    [
      'a fact of another type',
      datastore.replace('"tank"', '12'),
      /^frame 1 \(datastore of pbs-a\) of .*stream: name: .*string/,
    ],
    [
      'a missing fact',
      datastore.replace('"path"', '"pfad"'),
      /^frame 1 \(datastore tank of pbs-a\) of .*stream: path: /,
    ],
    ['an integer that is not exact', datastore.replace(':1,', ':9007199254740993,'), /observed\.used_bytes: /],
    [
      'a scope without its server',
      '{"frame":"scope","resource":"datastores"}\n',
      /server: a scope of datastores needs it/,
    ],
    [
      'a code that is none',
      '{"frame":"failed","resource":"servers","error":{"code":"s3cret","message":""},"retryable":true}\n',
      /error\.code: /,
    ],
    ['a frame after the end', '{"frame":"end","items":[]}\n{}\n', /^frame 2 of .*comes after the end/],
  ])('%s is refused with the number of the frame and the field', async (_, bytes, message) => {
    const failed = await run(Effect.flip(framesOfBytes(bytes)))
    expect(failed).toMatchObject({ code: 'protocol', retryable: false })
    expect(failed.message).toMatch(message)
    expect(failed.message).not.toContain('s3cret')
  })

  test('what is wrong inside a group is found when it is parsed', async () => {
    const line = encodeFrame(groupFrame('100')).replace('"size_bytes":4294967296', '"size_bytes":"much"')
    const [group] = await run(framesOfBytes(`${line}{"frame":"end","items":[]}\n`))
    if (group?._tag !== 'group') throw new Error('expected a group')
    const failed = await run(Effect.flip(group.parse))
    expect(failed.code).toBe('protocol')
    expect(failed.message).toMatch(
      /^frame 1 \(snapshot vm\/100 at 2026-05-28T02:00:00Z in tank\/site-a of pbs-a\) of .*snapshots\.0\.size_bytes: .*number/,
    )
  })

  test('a frame larger than allowed is refused before it ends', async () => {
    const part = Buffer.alloc(1024 * 1024, 'x')
    const failed = await run(
      Effect.gen(function* () {
        const { url } = yield* serve(async (_, response) => {
          ndjson(response).write('{"frame":"group","server":"pbs-a","comment":"')
          const closed = once(response, 'close')
          while (!response.destroyed) {
            if (!response.write(part)) await Promise.race([once(response, 'drain'), closed])
          }
        })
        return yield* Effect.flip(allOf(framesFrom(url)))
      }),
    )
    expect(failed).toMatchObject({ code: 'protocol' })
    expect(failed.message).toContain(`frame 1 of the gateway's stream: is larger than ${maxFrameBytes} bytes`)
  })
})

describe('an answer that is no stream', () => {
  test('another media type', async () => {
    const failed = await run(
      Effect.gen(function* () {
        const { url } = yield* serve((_, response) =>
          response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
        )
        return yield* Effect.flip(allOf(framesFrom(url)))
      }),
    )
    expect(failed).toMatchObject({ code: 'protocol', retryable: false })
  })

  test('a request that the gateway refuses', async () => {
    const failed = await run(
      Effect.gen(function* () {
        const { url } = yield* serve((_, response) => json(response, 422, { detail: [] }))
        return yield* Effect.flip(allOf(framesFrom(url)))
      }),
    )
    expect(failed).toMatchObject({ code: 'protocol', retryable: false })
  })
})

/** The groups among the frames with what they hold, the rest as it is. */
const facts = (frames: ReadonlyArray<SourceFrame>) =>
  Promise.all(
    frames.map(async (frame) =>
      frame._tag === 'group' ? { ...frame, parse: await Effect.runPromise(frame.parse) } : frame,
    ),
  )
