import { envelopeOf, type Frame, ndjsonMediaType, type SyncEnvelope } from '@netbox-pbs/proxbox-client/contract'
import { Effect, Stream } from 'effect'
import type { Line } from '../scopes/line.ts'
import { HttpError } from './http-error.ts'

/** The most characters of frames that are gathered into one document. */
const maxDocument = 64 * 1024 * 1024

/** All frames of a sync as one document; refused when they are too many to be held at once. */
export const syncDocument = <R>(
  lines: Stream.Stream<Line, never, R>,
  max = maxDocument,
): Effect.Effect<SyncEnvelope, HttpError, R> =>
  Effect.suspend(() => {
    const frames: Array<Frame> = []
    let size = 0
    return Stream.runForEach(lines, ({ frame, text }) => {
      size += text.length
      if (size > max) return tooLarge
      frames.push(frame)
      return Effect.void
    }).pipe(Effect.map(() => envelopeOf(frames)))
  })

const tooLarge = new HttpError({
  status: 400,
  detail: `The rows are too many for one document: ask with Accept: ${ndjsonMediaType}, or narrow the request.`,
})
