import { hasPrintableTexts } from './decode-item.ts'

/** The body is not `{…, "data": [ …, … ], …}`, or it ended early. The message has the place and the error. */
export class MalformedList extends Error {}

/** Limits against a server that answers with something else. */
export interface SplitterLimits {
  /** One item; default 16 MiB. */
  readonly maxItemBytes?: number
  /** Everything except the items; default 64 KiB. */
  readonly maxEnvelopeBytes?: number
  /** Levels of lists and objects in one item; default 32. */
  readonly maxDepth?: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const DATA = Buffer.from('data')

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/**
 * Cuts the `data` list of a PBS envelope into its items while the bytes arrive, by depth and
 * strings only, and holds at most one chunk and one item. `JSON.parse` validates every byte: a
 * batch of whole items at a time, and at the end the envelope around the list.
 */
export class ItemSplitter {
  readonly #maxItemBytes: number
  readonly #maxEnvelopeBytes: number
  readonly #maxDepth: number
  /** Everything outside the list, with the list itself left empty. */
  readonly #envelope: Array<Buffer> = []
  #envelopeBytes = 0
  #inList = false
  #listSeen = false
  #depth = 0
  #inString = false
  #escaped = false
  /** Inside the envelope: bytes of the last string at depth 1, and whether it was the key `data` before a colon. */
  #key: Array<number> = []
  #keyIsData = false
  #dataSeen = false
  /** Inside the list: the beginning of an item whose end has not arrived. */
  #carried: Array<Buffer> = []
  #carriedBytes = 0
  /** That item is neither an object nor a list: it ends before the next comma, bracket or space. */
  #inScalar = false
  #items = 0
  #commaSeen = false
  #printable = false
  /** The end of an object and the beginning of the next, up to its first key: `},{"backup-type":`. */
  #border: Buffer | null = null

  constructor(limits: SplitterLimits = {}) {
    this.#maxItemBytes = limits.maxItemBytes ?? 16 * 1024 * 1024
    this.#maxEnvelopeBytes = limits.maxEnvelopeBytes ?? 64 * 1024
    this.#maxDepth = limits.maxDepth ?? 32
  }

  /** The items that end in this chunk, parsed. Throws {@link MalformedList}. */
  push(chunk: Buffer): ReadonlyArray<unknown> {
    const items: Array<unknown> = []
    let at = 0
    while (at < chunk.length) {
      at = this.#inList ? this.#readList(chunk, at, items) : this.#readEnvelope(chunk, at)
    }
    return items
  }

  /**
   * The items of a chunk whose texts are all printable, as `read` gives them, up to the last place that looks like the
   * end of an object before one that begins as the first did; and the rest of the chunk, which is to be pushed. Null,
   * and nothing is taken, unless `JSON.parse` reads whole items up to there, which a place inside a text or an item
   * prevents, and `read` each of them. `push` looks at every byte, which costs as much again.
   *
   * @param read - Null for an item that is not flat and known.
   */
  takePlain<T>(
    chunk: Buffer,
    read: (item: unknown) => T | null,
  ): { readonly rows: Array<T>; readonly rest: Buffer } | null {
    const beginsItem = this.#carriedBytes > 0 || this.#items === 0 || this.#commaSeen
    if (!this.#inList || this.#inScalar || !beginsItem) return null
    this.#border ??= borderBefore([...this.#carried, chunk])
    const end = this.#border === null ? 0 : chunk.lastIndexOf(this.#border) + 1
    if (end === 0) return null
    const bytes = Buffer.concat([...this.#carried, chunk.subarray(0, end)])
    const items = hasPrintableTexts(bytes) ? itemsOf(bytes) : null
    if (items === null) return null
    const rows: Array<T> = []
    for (const item of items) {
      const row = read(item)
      if (row === null) return null
      rows.push(row)
    }
    this.#carried = []
    this.#carriedBytes = 0
    this.#inString = false
    this.#escaped = false
    this.#items += rows.length
    this.#commaSeen = true
    return { rows, rest: chunk.subarray(end + 1) }
  }

  /** Whether all texts of the items of the last chunk are printable; false also where only a closer look can tell. */
  get printable(): boolean {
    return this.#printable
  }

  /** To be called when the body ended. Throws {@link MalformedList} when it ended early or held no list. */
  finish(): void {
    if (this.#inList) throw new MalformedList(`the answer ended inside item ${this.#items + 1} of the list`)
    const text = Buffer.concat(this.#envelope).toString('utf8')
    let envelope: unknown
    try {
      envelope = JSON.parse(text)
    } catch {
      throw new MalformedList('the answer is not JSON, or ended early')
    }
    if (!this.#listSeen || typeof envelope !== 'object' || envelope === null) {
      throw new MalformedList('the answer has no list in "data"')
    }
  }

  /** Reads outside the list up to its opening bracket or the end of the chunk; returns where it stopped. */
  #readEnvelope(chunk: Buffer, start: number): number {
    let end = chunk.length
    for (let i = start; i < chunk.length; i++) {
      const byte = chunk[i] ?? 0
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false
        else if (byte === BACKSLASH) this.#escaped = true
        else if (byte === QUOTE) this.#inString = false
        if (this.#inString && this.#depth === 1 && this.#key.length <= DATA.length) this.#key.push(byte)
      } else if (byte === QUOTE) {
        this.#inString = true
        this.#key = []
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        if (byte === OPEN_BRACKET && this.#depth === 1 && this.#keyIsData) {
          this.#listSeen = true
          this.#inList = true
          end = i + 1
          break
        }
        this.#depth++
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        this.#depth--
      } else if (byte === COLON) {
        if (this.#depth === 1) {
          this.#keyIsData = DATA.equals(Buffer.from(this.#key))
          if (this.#keyIsData && this.#dataSeen) throw new MalformedList('the answer has "data" twice')
          if (this.#keyIsData) this.#dataSeen = true
        }
      } else if (byte === COMMA && this.#depth === 1) {
        this.#keyIsData = false
      }
    }
    this.#envelope.push(Buffer.from(chunk.subarray(start, end)))
    this.#envelopeBytes += end - start
    if (this.#envelopeBytes > this.#maxEnvelopeBytes) {
      throw new MalformedList(`the answer has more than ${this.#maxEnvelopeBytes} bytes outside its list`)
    }
    return end
  }

  /** Reads inside the list up to its closing bracket or the end of the chunk; returns where it stopped. */
  #readList(chunk: Buffer, start: number, items: Array<unknown>): number {
    // Locals, because this loop sees every byte of every list.
    let depth = this.#carriedBytes === 0 ? 0 : this.#depth - 1
    let inString = this.#inString
    let escaped = this.#escaped
    let inScalar = this.#inScalar
    let batchStart = this.#carriedBytes === 0 ? -1 : start
    let batchEnd = -1
    let openStart = start
    let closed = -1
    for (let i = start; i < chunk.length; i++) {
      const byte = chunk[i] ?? 0
      if (inString) {
        if (escaped) escaped = false
        else if (byte === QUOTE) inString = false
        else if (byte === BACKSLASH) escaped = true
        continue
      }
      if (depth > 0) {
        if (byte === QUOTE) inString = true
        else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
          depth++
          if (depth > this.#maxDepth) {
            throw new MalformedList(
              `item ${this.#items + 1} of the list is nested deeper than ${this.#maxDepth} levels`,
            )
          }
        } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
          depth--
          if (depth === 0) {
            batchEnd = i + 1
            this.#items++
            this.#commaSeen = false
          }
        }
        continue
      }
      if (inScalar) {
        if (byte === QUOTE) inString = true
        if (byte !== COMMA && byte !== CLOSE_BRACKET && !isSpace(byte)) continue
        inScalar = false
        batchEnd = i
        this.#items++
        this.#commaSeen = false
      }
      if (byte === COMMA) {
        if (this.#items === 0 || this.#commaSeen) {
          throw new MalformedList(`item ${this.#items + 1} of the list is missing`)
        }
        this.#commaSeen = true
      } else if (byte === CLOSE_BRACKET) {
        if (this.#commaSeen) throw new MalformedList(`item ${this.#items + 1} of the list is missing`)
        closed = i
        break
      } else if (!isSpace(byte)) {
        if (this.#items > 0 && !this.#commaSeen) throw new MalformedList(`no comma after item ${this.#items}`)
        if (batchStart === -1) batchStart = i
        openStart = i
        if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth = 1
        else {
          inScalar = true
          inString = byte === QUOTE
        }
      }
    }
    if (batchEnd !== -1) this.#parseBatch(chunk.subarray(batchStart, batchEnd), items)
    this.#inScalar = inScalar
    if (closed === -1) {
      if (depth > 0 || inScalar) this.#keepTail(chunk.subarray(openStart))
      this.#depth = depth + 1
      this.#inString = inString
      this.#escaped = escaped
      return chunk.length
    }
    this.#inList = false
    this.#inString = false
    this.#escaped = false
    // The envelope reader meets the closing bracket next, and it has counted the opening one of no other list.
    this.#depth = 2
    return closed
  }

  /** Keeps the beginning of an item that did not end in this chunk. */
  #keepTail(beginning: Buffer): void {
    const tail = Buffer.from(beginning)
    this.#carried.push(tail)
    this.#carriedBytes += tail.length
    if (this.#carriedBytes > this.#maxItemBytes) {
      throw new MalformedList(`item ${this.#items + 1} of the list is larger than ${this.#maxItemBytes} bytes`)
    }
  }

  #parseBatch(batch: Buffer, items: Array<unknown>): void {
    const bytes = this.#carriedBytes === 0 ? batch : Buffer.concat([...this.#carried, batch])
    this.#carried = []
    this.#carriedBytes = 0
    this.#printable = hasPrintableTexts(bytes)
    const parsed = itemsOf(bytes)
    if (parsed === null) throw new MalformedList(`items up to ${this.#items} of the list are not JSON`)
    for (const item of parsed) items.push(item)
  }
}

/** How an object ends before one that begins as this one does; null where these bytes do not begin an object with a key. */
const borderBefore = (item: ReadonlyArray<Buffer>): Buffer | null => {
  const beginning = Buffer.concat(item.map((bytes) => bytes.subarray(0, 100))).toString('latin1')
  const [key] = /^\{"[^"\\]{1,60}":/.exec(beginning) ?? []
  return key === undefined ? null : Buffer.from(`},${key}`, 'latin1')
}

/** Items with commas between them; null where they are not JSON. */
const itemsOf = (bytes: Buffer): ReadonlyArray<unknown> | null => {
  try {
    const items: unknown = JSON.parse(`[${bytes.toString('utf8')}]`)
    return Array.isArray(items) ? items : null
  } catch {
    return null
  }
}
