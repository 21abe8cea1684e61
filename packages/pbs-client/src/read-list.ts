import { Chunk, Effect, Option, Stream } from 'effect'
import { z } from 'zod'
import { decodeItem, UnexpectedShape } from './decode-item.ts'
import { failureOf } from './failure-of.ts'
import type { WithUnsafeIntegers } from './fields.ts'
import { ItemSplitter, MalformedList } from './item-splitter.ts'
import type { PbsError } from './pbs-error.ts'
import type { PbsQuery, PbsTransport } from './pbs-transport.ts'
import { readChunk, readText } from './response-body.ts'
import { type ListRow, UnreadableRow } from './unreadable-row.ts'

const maxBodyBytes = 64 * 1024 * 1024

/** One object out of `data`, or `data` itself for shapes that are no rows. */
export const readData = (transport: PbsTransport, path: string, query?: PbsQuery): Effect.Effect<unknown, PbsError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const response = yield* transport.open(path, query)
      return yield* readText(response, transport.connection.timeoutSeconds, maxBodyBytes).pipe(
        Effect.flatMap((text) => Effect.try({ try: () => dataOf(text), catch: (error) => error })),
        Effect.mapError((error) => failureOf(transport.connection, path, error)),
      )
    }),
  )

/** One object, checked. */
export const readObject = <T extends object>(
  transport: PbsTransport,
  schema: z.ZodType<T>,
  path: string,
  query?: PbsQuery,
): Effect.Effect<WithUnsafeIntegers<T>, PbsError> =>
  readData(transport, path, query).pipe(
    Effect.flatMap((data) =>
      Effect.try({ try: () => decodeItem(schema, data), catch: (e) => failureOf(transport.connection, path, e) }),
    ),
  )

/** A list that is short by nature, whole. A row that cannot be understood costs no other. */
export const readRows = <T extends object>(
  transport: PbsTransport,
  schema: z.ZodType<T>,
  path: string,
  query?: PbsQuery,
): Effect.Effect<ReadonlyArray<ListRow<WithUnsafeIntegers<T>>>, PbsError> =>
  readData(transport, path, query).pipe(
    Effect.flatMap((data) =>
      Effect.try({
        try: () => {
          if (!Array.isArray(data)) throw new MalformedList('the answer has no list in "data"')
          return data.map((row: unknown, index) => decodeRow(schema, row, index))
        },
        catch: (error) => failureOf(transport.connection, path, error),
      }),
    ),
  )

/** A list of any length, row by row: one chunk of bytes and its rows are in memory, and a slow consumer slows the server. */
export const streamRows = <T extends object>(
  transport: PbsTransport,
  open: ReturnType<PbsTransport['open']>,
  schema: z.ZodType<T>,
  path: string,
): Stream.Stream<ListRow<WithUnsafeIntegers<T>>, PbsError> =>
  Stream.unwrapScoped(
    Effect.map(open, (response) => Stream.repeatEffectChunkOption(pullRows(transport, response, schema, path))),
  )

const pullRows = <T extends object>(
  transport: PbsTransport,
  response: Effect.Effect.Success<ReturnType<PbsTransport['open']>>,
  schema: z.ZodType<T>,
  path: string,
): Effect.Effect<Chunk.Chunk<ListRow<WithUnsafeIntegers<T>>>, Option.Option<PbsError>> => {
  const splitter = new ItemSplitter()
  let seen = 0
  const failed = (error: unknown) => Option.some(failureOf(transport.connection, path, error))
  return readChunk(response, transport.connection.timeoutSeconds).pipe(
    Effect.mapError(failed),
    Effect.flatMap((bytes) =>
      Effect.try({
        try: () => {
          if (Option.isNone(bytes)) {
            splitter.finish()
            return null
          }
          const rows = splitter.push(bytes.value).map((row, index) => decodeRow(schema, row, seen + index))
          seen += rows.length
          return Chunk.unsafeFromArray(rows)
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

const dataOf = (text: string): unknown => {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    throw new MalformedList('the answer is not JSON')
  }
  const envelope = Envelope.safeParse(body)
  if (!envelope.success) throw new MalformedList('the answer is not an object with "data"')
  return envelope.data.data
}
