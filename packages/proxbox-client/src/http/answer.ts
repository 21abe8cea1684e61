import { SourceFailed } from '@netbox-pbs/core/ports'
import { Effect, Stream } from 'effect'
import { shapeError } from '../foreign-text.ts'

/** An answer whose body has not been read. */
export interface Answer {
  readonly status: number
  /** Without parameters, in lower case. */
  readonly mediaType: string
  /** Where it came from, for messages. */
  readonly base: string
  /** The body as it arrives; no more is read than is pulled. */
  readonly bytes: Stream.Stream<Uint8Array, SourceFailed>
}

/** A whole answer. `json` is undefined when the body is no JSON. */
export interface JsonAnswer extends Pick<Answer, 'status' | 'base'> {
  readonly json: unknown
}

/** Reads the whole body, which must not be larger than `max` bytes. */
export function wholeAnswer(answer: Answer, max: number): Effect.Effect<JsonAnswer, SourceFailed> {
  return Effect.suspend(() => {
    const parts: Array<Uint8Array> = []
    let size = 0
    return Stream.runForEach(answer.bytes, (part) => {
      parts.push(part)
      size += part.length
      return size > max ? Effect.fail(tooLarge(answer.base, max)) : Effect.void
    }).pipe(
      Effect.map(() => ({
        status: answer.status,
        base: answer.base,
        json: jsonOf(Buffer.concat(parts)),
      })),
    )
  })
}

const tooLarge = (base: string, max: number) =>
  new SourceFailed({
    code: 'protocol',
    message: `${base} answered with more than ${max} bytes: check that this is the address of the gateway`,
    retryable: false,
  })

function jsonOf(text: Buffer): unknown {
  if (shapeError(text) !== null) return undefined
  try {
    return JSON.parse(text.toString('utf8'))
  } catch {
    return undefined
  }
}
