import type { SourceFailed, SourceFrame } from '@netbox-pbs/core/ports'
import { Channel, Chunk, Stream } from 'effect'
import { maxFrameBytes } from '../contract/sync-request.ts'
import { cutOff } from '../http/answer.ts'
import { asSourceFailed, malformed, readLine } from './read-line.ts'

/**
 * The frames of a sync stream. `end` is given out when the stream is really over, so that it is last; a stream without
 * it fails with `cut_off`. Frames before a malformed one are given out first.
 */
export function readFrames(
  bytes: Stream.Stream<Uint8Array, SourceFailed>,
  base: string,
): Stream.Stream<SourceFrame, SourceFailed> {
  return Stream.pipeThroughChannel(
    bytes,
    Channel.suspend(() => readFrom(new FrameReader(), base)),
  )
}

type FrameChannel = Channel.Channel<
  Chunk.Chunk<SourceFrame>,
  Chunk.Chunk<Uint8Array>,
  SourceFailed,
  SourceFailed,
  unknown,
  unknown
>

function readFrom(reader: FrameReader, base: string): FrameChannel {
  const finish = (failed: SourceFailed): FrameChannel =>
    reader.ended ? Channel.write(Chunk.of({ _tag: 'end' })) : Channel.fail(failed)
  return Channel.readWith({
    onInput: (chunks) => {
      const { frames, failed } = reader.read(chunks)
      const given = frames.length === 0 ? Channel.void : Channel.write(Chunk.unsafeFromArray(frames))
      return Channel.flatMap(given, () => (failed === null ? readFrom(reader, base) : Channel.fail(failed)))
    },
    onFailure: finish,
    onDone: () => finish(cutOff(base, undefined)),
  })
}

/** The contract has no empty lines; some are taken, an endless row of them is not. */
const maxBlank = 1000

class FrameReader {
  readonly #lines = new LineSplitter(maxFrameBytes)
  #number = 0
  #blank = 0
  /** Whether `end` was read. */
  ended = false

  read(chunks: Chunk.Chunk<Uint8Array>): { readonly frames: Array<SourceFrame>; readonly failed: SourceFailed | null } {
    const frames: Array<SourceFrame> = []
    try {
      for (const chunk of chunks) {
        for (const line of this.#lines.push(chunk)) {
          const frame = this.#frameOf(line)
          if (frame !== null) frames.push(frame)
        }
      }
      return { frames, failed: null }
    } catch (error) {
      return { frames, failed: asSourceFailed(error) }
    }
  }

  #frameOf(line: Buffer | typeof tooLong): SourceFrame | null {
    this.#number += 1
    if (line === tooLong) throw malformed(this.#number, `is larger than ${maxFrameBytes} bytes`)
    if (line.length === 0) {
      this.#blank += 1
      if (this.#blank > maxBlank) throw malformed(this.#number, `is the ${this.#blank}th that is empty`)
      return null
    }
    if (this.ended) throw malformed(this.#number, 'comes after the end')
    const frame = readLine(line, this.#number)
    if (frame._tag !== 'end') return frame
    this.ended = true
    return null
  }
}

const newline = 0x0a

/** A line grew beyond the limit. */
export const tooLong = Symbol('tooLong')

/** Cuts bytes into lines. Between two chunks it holds the beginning of one line, never more. */
export class LineSplitter {
  readonly #max: number
  #parts: Array<Buffer> = []
  #size = 0

  /** @param max - The most bytes of a line, its newline apart. */
  constructor(max: number) {
    this.#max = max
  }

  /**
   * The lines that end in this chunk, without their newlines; after a line that is too long there
   * is nothing more to cut.
   */
  *push(chunk: Uint8Array): Generator<Buffer | typeof tooLong> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let start = 0
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      if (this.#size + end - start > this.#max) return yield tooLong
      yield this.#take(bytes.subarray(start, end))
      start = end + 1
    }
    this.#keep(bytes.subarray(start))
    if (this.#size > this.#max) yield tooLong
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return
    this.#parts.push(part)
    this.#size += part.length
  }

  #take(last: Buffer): Buffer {
    if (this.#size === 0) return last
    const line = Buffer.concat([...this.#parts, last], this.#size + last.length)
    this.#parts = []
    this.#size = 0
    return line
  }
}
