import { PassThrough, Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { Chunk, Effect, Exit, Stream } from 'effect'
import { describe, expect, test } from 'vitest'
import { bodyBytes } from './body-bytes.ts'

const kib = 1024

describe('bodyBytes', () => {
  test('gives every byte in its order, whatever the size of the pieces', async () => {
    const pieces = Array.from({ length: 300 }, (_, i) => Buffer.alloc((i * 37) % 5000, i))
    const read = await Effect.runPromise(Stream.runCollect(bodyBytes(Readable.from(pieces, { objectMode: false }))))
    expect(Buffer.concat([...read])).toEqual(Buffer.concat(pieces))
  })

  test('reads half a MiB and one piece ahead of a busy reader, and goes on when it comes back', async () => {
    let pulled = 0
    const body = new Readable({
      highWaterMark: 0,
      read() {
        pulled += 1
        this.push(pulled > 100 ? null : Buffer.alloc(64 * kib))
      },
    })
    let turns = 0
    const ahead = await Effect.runPromise(
      Stream.runFoldEffect(Stream.chunks(bodyBytes(body)), 0, (most, chunk) =>
        Effect.promise(async () => {
          const before = pulled
          turns += 1
          for (let turn = 0; turn < 50; turn += 1) await setImmediate()
          expect(Chunk.size(chunk)).toBeLessThanOrEqual(10)
          return Math.max(most, pulled - before)
        }),
      ),
    )
    expect(pulled).toBe(101)
    expect(turns).toBeGreaterThan(5)
    expect(ahead).toBeLessThanOrEqual(10)
  })

  test.each<[string, (body: PassThrough) => void]>([
    ['an error', (body) => body.destroy(new Error('reset'))],
    ['a close without an end', (body) => body.destroy()],
  ])('gives what came before %s, then fails', async (_, breakOff) => {
    const body = new PassThrough()
    body.on('error', () => undefined)
    body.write('abc')
    const seen: Array<string> = []
    const exit = await Effect.runPromiseExit(
      Stream.runForEach(bodyBytes(body), (bytes) =>
        Effect.sync(() => {
          seen.push(Buffer.from(bytes).toString())
          breakOff(body)
        }),
      ),
    )
    expect(seen).toEqual(['abc'])
    expect(Exit.isFailure(exit)).toBe(true)
  })
})
