import type { IncomingMessage } from 'node:http'
import { Effect, Option } from 'effect'
import { eventCallback } from './event-callback.ts'
import { MalformedList } from './item-splitter.ts'

/** The peer was silent for too long. */
export class Silence extends Error {}

/**
 * The next bytes of a body, or None at its end. Reads in paused mode: while nobody asks, the socket is not read and TCP
 * holds the sender back. Interruption leaves nothing behind; whoever opened the response destroys it.
 */
export const readChunk = (
  response: IncomingMessage,
  timeoutSeconds: number,
): Effect.Effect<Option.Option<Buffer>, unknown> =>
  Effect.async((resume) => {
    const settle = (outcome: Effect.Effect<Option.Option<Buffer>, unknown>) => {
      clearTimeout(timer)
      forget()
      resume(outcome)
    }
    const die = (defect: unknown) => settle(Effect.die(defect))
    const attempt = eventCallback(die, () => {
      // Node's types say any; without an encoding it is a Buffer or null.
      const chunk: Buffer | null = response.read()
      if (chunk !== null) settle(Effect.succeed(Option.some(chunk)))
      else if (response.errored !== null) settle(Effect.fail(response.errored))
      else if (response.readableEnded) settle(Effect.succeed(Option.none()))
      else if (response.destroyed) settle(Effect.fail(new Error('the connection was closed inside the answer')))
    })
    const failed = (error: unknown) => settle(Effect.fail(error))
    const forget = () => {
      response.off('readable', attempt).off('end', attempt).off('close', attempt).off('error', failed)
    }
    const timer = setTimeout(
      () => failed(new Silence(`no byte for ${timeoutSeconds} s inside the answer`)),
      timeoutSeconds * 1000,
    )
    response.on('readable', attempt).on('end', attempt).on('close', attempt).on('error', failed)
    attempt()
    return Effect.sync(() => {
      clearTimeout(timer)
      forget()
    })
  })

/** The whole body as text; fails with {@link MalformedList} beyond the limit. */
export const readText = (
  response: IncomingMessage,
  timeoutSeconds: number,
  maxBytes: number,
): Effect.Effect<string, unknown> =>
  Effect.gen(function* () {
    const chunks: Array<Buffer> = []
    let bytes = 0
    while (true) {
      const chunk = yield* readChunk(response, timeoutSeconds)
      if (Option.isNone(chunk)) return Buffer.concat(chunks).toString('utf8')
      bytes += chunk.value.length
      if (bytes > maxBytes) return yield* Effect.fail(new MalformedList(`the answer is larger than ${maxBytes} bytes`))
      chunks.push(chunk.value)
    }
  })

/** The beginning of a body as text, for errors; never fails. */
export const readBeginning = (
  response: IncomingMessage,
  timeoutSeconds: number,
  maxBytes: number,
): Effect.Effect<string> =>
  Effect.gen(function* () {
    const chunks: Array<Buffer> = []
    let bytes = 0
    while (bytes < maxBytes) {
      const chunk = yield* readChunk(response, timeoutSeconds).pipe(Effect.orElseSucceed(() => Option.none<Buffer>()))
      if (Option.isNone(chunk)) break
      bytes += chunk.value.length
      chunks.push(chunk.value)
    }
    return Buffer.concat(chunks).subarray(0, maxBytes).toString('utf8')
  })
