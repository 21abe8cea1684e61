import { encodeFrame, type Frame, maxFrameBytes } from '@netbox-pbs/proxbox-client/contract'
import { Effect } from 'effect'
import { ScopeFailed } from './scope-failed.ts'

/** A frame and its canonical line, newline included. */
export interface Line {
  readonly frame: Frame
  readonly text: string
}

/** A frame that is small by nature. */
export const lineOf = (frame: Frame): Line => ({ frame, text: encodeFrame(frame) })

/** A frame that carries what a source sent; one that is too large fails its scope. */
export const boundedLine = (frame: Frame): Effect.Effect<Line, ScopeFailed> =>
  Effect.suspend(() => {
    const line = lineOf(frame)
    // UTF-16 units bound the bytes from below; only a text near the limit is worth measuring.
    const tooLarge =
      line.text.length > maxFrameBytes ||
      (line.text.length * 3 > maxFrameBytes && Buffer.byteLength(line.text) - 1 > maxFrameBytes)
    return tooLarge
      ? new ScopeFailed({
          code: 'protocol',
          message: `${titleOf(frame)} is larger than ${maxFrameBytes / 1024 / 1024} MiB and cannot be passed on`,
          retryable: false,
        })
      : Effect.succeed(line)
  })

const titleOf = (frame: Frame): string =>
  frame.frame === 'group' ? `the group ${frame.backup_type}/${frame.backup_id}` : `a ${frame.frame} frame`
