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

  /** The lines that end in this chunk, without their newlines; after a line that is too long there is nothing more to cut. */
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
