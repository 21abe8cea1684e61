import { Chunk, Effect, Option, Stream } from 'effect'
import { z } from 'zod'
import { decodeItem, UnexpectedShape, type WithUnsafeIntegers } from './decode-item.ts'
import { ItemSplitter, MalformedList } from './item-splitter.ts'
import { failureOf, type PbsError } from './pbs-error.ts'
import type { PbsQuery, PbsResponse, PbsTransport } from './pbs-transport.ts'
import { readPieces, readWhole } from './response-body.ts'

/**
 * `data` of an answer that is no list of rows, and the milliseconds that it took; waiting for a
 * permit does not count.
 */
const readTimed = (
  transport: PbsTransport,
  path: string,
  query?: PbsQuery,
  maxBytes = objectBytes,
): Effect.Effect<{ readonly data: unknown; readonly millis: number }, PbsError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { body: bytes, pace, sentAt } = yield* transport.open(path, query)
      const data = yield* readWhole(bytes, pace, maxBytes).pipe(
        Effect.flatMap((body) => Effect.try({ try: () => dataOf(body), catch: (error) => error })),
        Effect.mapError((error) => failureOf(transport.connection, path, error)),
      )
      return { data, millis: performance.now() - sentAt }
    }),
  )

/** `data` of an answer that is no list of rows. */
export const readData = (...request: Parameters<typeof readTimed>): Effect.Effect<unknown, PbsError> =>
  Effect.map(readTimed(...request), ({ data }) => data)

/** One object, checked, and the milliseconds that it took. */
export const readTimedObject = <T extends object>(
  transport: PbsTransport,
  schema: z.ZodType<T>,
  path: string,
): Effect.Effect<{ readonly object: WithUnsafeIntegers<T>; readonly millis: number }, PbsError> =>
  readTimed(transport, path).pipe(
    Effect.flatMap(({ data, millis }) =>
      Effect.try({
        try: () => ({ object: decodeItem(schema, data), millis }),
        catch: (error) => failureOf(transport.connection, path, error),
      }),
    ),
  )

/** One object, checked. */
export const readObject = <T extends object>(
  transport: PbsTransport,
  schema: z.ZodType<T>,
  path: string,
): Effect.Effect<WithUnsafeIntegers<T>, PbsError> =>
  Effect.map(readTimedObject(transport, schema, path), ({ object }) => object)

/** A list that is short by nature, whole. An unreadable row costs no other. */
export const readRows = <T extends object>(
  transport: PbsTransport,
  schema: z.ZodType<T>,
  path: string,
  query?: PbsQuery,
  limits = shortList,
): Effect.Effect<ReadonlyArray<ListRow<WithUnsafeIntegers<T>>>, PbsError> =>
  Effect.map(
    Stream.runCollect(streamRows(transport, transport.open(path, query), { schema }, path, limits)),
    Chunk.toReadonlyArray,
  )

/**
 * A list row by row: one chunk of bytes and its rows are in memory, and a slow consumer slows the
 * server. Fails with `protocol` when the list is beyond its limits, with `timeout` when it comes
 * too slowly.
 */
export const streamRows = <T extends object>(
  transport: PbsTransport,
  open: ReturnType<PbsTransport['open']>,
  reader: RowReader<T>,
  path: string,
  limits: AnswerLimits,
): Stream.Stream<ListRow<WithUnsafeIntegers<T>>, PbsError> =>
  Stream.unwrapScoped(
    Effect.map(open, (response) => Stream.repeatEffectChunkOption(pullRows(transport, response, reader, path, limits))),
  )

/** How the rows of a list are read. */
interface RowReader<T extends object> {
  readonly schema: z.ZodType<T>
  /** Reads a row with printable texts at less cost than the schema, to the same result; null where it cannot. */
  readonly plain?: (row: unknown) => WithUnsafeIntegers<T> | null
}

const pullRows = <T extends object>(
  transport: PbsTransport,
  { body, pace }: PbsResponse,
  { schema, plain }: RowReader<T>,
  path: string,
  limits: AnswerLimits,
): Effect.Effect<Chunk.Chunk<ListRow<WithUnsafeIntegers<T>>>, Option.Option<PbsError>> => {
  const splitter = new ItemSplitter({ maxItemBytes: limits.rowBytes, maxDepth })
  let seen = 0
  let arrived = 0
  const failed = (error: unknown) => Option.some(failureOf(transport.connection, path, error))
  const take = (piece: Buffer): ReadonlyArray<ListRow<WithUnsafeIntegers<T>>> => {
    arrived += piece.length
    if (arrived > limits.bytes) throw new MalformedList(`the answer is larger than ${limits.bytes} bytes`)
    const taken = plain === undefined ? null : splitter.takePlain(piece, plain)
    const items = splitter.push(taken?.rest ?? piece)
    const before = taken?.rows ?? []
    const known = before.length + items.length
    if (seen + known > limits.rows) throw new MalformedList(`the answer has more than ${limits.rows} rows`)
    const quick = splitter.printable ? plain : undefined
    const others = items.map((row, index) => quick?.(row) ?? decodeRow(schema, row, seen + before.length + index))
    seen += known
    return before.length === 0 ? others : others.length === 0 ? before : [...before, ...others]
  }
  return readPieces(body, pace).pipe(
    Effect.mapError(failed),
    Effect.flatMap((pieces) =>
      Effect.try({
        try: () => {
          if (Option.isSome(pieces)) return Chunk.unsafeFromArray(pieces.value.flatMap(take))
          splitter.finish()
          return null
        },
        catch: failed,
      }),
    ),
    Effect.flatMap((rows) => (rows === null ? Effect.fail(Option.none()) : Effect.succeed(rows))),
  )
}

const decodeRow = <T extends object>(
  schema: z.ZodType<T>,
  row: unknown,
  index: number,
): ListRow<WithUnsafeIntegers<T>> => {
  try {
    return decodeItem(schema, row)
  } catch (error) {
    if (!(error instanceof UnexpectedShape)) throw error
    return new UnreadableRow(index + 1, error.field, error.reason, row)
  }
}

const Envelope = z.object({ data: z.unknown() })

const dataOf = (bytes: Buffer): unknown => {
  checkJsonShape(bytes, maxDepth)
  let body: unknown
  try {
    body = JSON.parse(bytes.toString('utf8'))
  } catch {
    throw new MalformedList('the answer is not JSON')
  }
  const envelope = Envelope.safeParse(body)
  if (!envelope.success) throw new MalformedList('the answer is not an object with "data"')
  return envelope.data.data
}

/** An unreadable row of a list, in the place of that row; it does not affect other rows. */
export class UnreadableRow {
  /**
   * @param row - Its place in the list, from 1.
   * @param field - The path of the field that is missing or odd; empty when the row is no object.
   * @param reason - What is wrong with it; never a value.
   * @param value - The row as it came.
   */
  constructor(
    readonly row: number,
    readonly field: string,
    readonly reason: string,
    readonly value: unknown,
  ) {}
}

/** A row of a list, or its placeholder. */
export type ListRow<T> = T | UnreadableRow

/** Whether a row was understood; a filter of lists and streams. */
export const isReadable = <T>(row: ListRow<T>): row is T => !(row instanceof UnreadableRow)

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const DATA = Buffer.from('"data"')

/** Lists and objects in one document. */
const maxNodes = 100_000

/**
 * Refuses a text that `JSON.parse` would make many times its size of, or that says `data` twice:
 * nested deeper than `maxDepth`, or with more than 100 000 lists and objects. Throws {@link
 * MalformedList}.
 */
const checkJsonShape = (bytes: Buffer, maxDepth: number): void => {
  let depth = 0
  let nodes = 0
  let data = 0
  let inString = false
  let stringStart = 0
  let stringEnd = 0
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0
    if (inString) {
      if (byte === BACKSLASH) at += 1
      else if (byte === QUOTE) {
        inString = false
        stringEnd = at + 1
      }
    } else if (byte === QUOTE) {
      inString = true
      stringStart = at
    } else if (byte === 0x7b || byte === 0x5b) {
      depth += 1
      nodes += 1
      if (depth > maxDepth) throw new MalformedList(`the answer is nested deeper than ${maxDepth} levels`)
      if (nodes > maxNodes) throw new MalformedList(`the answer has more than ${maxNodes} lists and objects`)
    } else if (byte === 0x7d || byte === 0x5d) {
      depth -= 1
    } else if (byte === COLON && depth === 1 && DATA.equals(bytes.subarray(stringStart, stringEnd))) {
      data += 1
      if (data > 1) throw new MalformedList('the answer has "data" twice')
    }
  }
}

const KiB = 1024
const MiB = 1024 * KiB

/** The limits of one answer of a PBS; a larger one fails with `protocol`. */
interface AnswerLimits {
  /** Of the whole body. */
  readonly bytes: number
  readonly rows: number
  /** Of one row. */
  readonly rowBytes: number
}

/** Lists that are short by nature: datastores, jobs, access control entries. */
const shortList: AnswerLimits = { bytes: 4 * MiB, rows: 10_000, rowBytes: 256 * KiB }

/** The namespaces of a datastore. */
export const namespaceList: AnswerLimits = { bytes: 32 * MiB, rows: 200_000, rowBytes: 16 * KiB }

/** The groups of a namespace. */
export const groupList: AnswerLimits = { bytes: 32 * MiB, rows: 100_000, rowBytes: 256 * KiB }

/** A list that is read row by row and never held. */
export const streamedList: AnswerLimits = { bytes: 4096 * MiB, rows: 5_000_000, rowBytes: MiB }

/** Tasks: read row by row; a PBS keeps its archive of them for some 20 000 by default. */
export const taskList: AnswerLimits = { bytes: 256 * MiB, rows: 200_000, rowBytes: 64 * KiB }

/**
 * Snapshots of groups: twice as many rows as the groups count, and a thousand for new ones, with 4
 * KiB for each, where one has some 800 bytes. The limits of a stream still apply, and 32 MiB when
 * the rows are held together.
 */
export const countedSnapshots = (count: number, held: boolean): AnswerLimits => {
  const most = held ? { rows: 100_000, bytes: 32 * MiB } : streamedList
  const rows = Math.min(most.rows, 2 * Math.max(0, count) + 1000)
  return { bytes: Math.min(most.bytes, 4 * MiB + rows * 4 * KiB), rows, rowBytes: MiB }
}

/** An answer that is one object. */
const objectBytes = 256 * KiB

/** The permissions of a token: an object with a key for each path. */
export const permissionsBytes = 4 * MiB

/** Levels of lists and objects inside each other; PBS has five. */
const maxDepth = 32
