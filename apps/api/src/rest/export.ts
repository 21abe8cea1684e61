import { last } from '@netbox-pbs/core'
import { StoreFailed } from '@netbox-pbs/core/ports'
import { Cause, Chunk, Effect, Option, Stream } from 'effect'
import type { ApiContext } from './caller.ts'
import { csvLine } from './csv.ts'
import { type HttpError, invalid, logStoreFailure } from './http-error.ts'

/** Forms in which a whole list is answered, by their names in the parameter `export`. */
const formats = {
  csv: { mediaType: 'text/csv', contentType: 'text/csv; charset=utf-8; header=present' },
  ndjson: { mediaType: 'application/x-ndjson', contentType: 'application/x-ndjson' },
} as const

export type ExportFormat = keyof typeof formats

/** The names of the forms. */
export const exportFormats: ReadonlyArray<ExportFormat> = ['csv', 'ndjson']

const exportParameter = 'export'

/** Parameters that choose rows of a list by their place: an export has them all. */
const places = ['limit', 'offset', 'start']

/** The media type of a form. */
export const exportMediaType = (format: ExportFormat): string => formats[format].mediaType

const isFormat = (text: string): text is ExportFormat => Object.hasOwn(formats, text)

/** The form that a request asks for; null: pages, or a form that there is not. */
export function askedExport(params: URLSearchParams): ExportFormat | null {
  const text = last(params, exportParameter) ?? ''
  return isFormat(text) ? text : null
}

/** How a list is asked for: the form of an export, null being a page, and the other parameters. */
export interface ListParameters {
  readonly format: ExportFormat | null
  readonly params: URLSearchParams
}

/** The parameters of the list that a request asks for; 400 for an unknown form, and for an export of a part. */
export function listParameters(c: ApiContext): Effect.Effect<ListParameters, HttpError> {
  const params = new URL(c.req.url).searchParams
  const text = last(params, exportParameter) ?? ''
  params.delete(exportParameter)
  if (text === '') return Effect.succeed({ format: null, params })
  if (!isFormat(text))
    return invalid({ [exportParameter]: [`The parameter export takes csv or ndjson, and no template: not ${text}.`] })
  const given = places.filter((name) => params.has(name))
  if (given.length > 0)
    return invalid(
      Object.fromEntries(given.map((name) => [name, [`An export has all rows of the list: leave ${name} out.`]])),
    )
  return Effect.succeed({ format: text, params })
}

/** A whole list as text. */
interface ExportedText<E, R> {
  readonly format: ExportFormat
  /** The name of the file, without its extension. */
  readonly name: string
  /** The names of the columns of CSV, in their order. */
  readonly columns: ReadonlyArray<string>
  /** Whole lines. */
  readonly pieces: Stream.Stream<string, E, R>
}

/**
 * Answers a whole list, piece by piece: the next one is made while the client takes the last, and
 * none when it has left. The status waits for the first piece, so that a list that cannot be read is
 * answered as a page of it would be; a later failure cuts the answer off.
 */
export const respondWithExport = <E, R>(
  c: ApiContext,
  { format, name, columns, pieces }: ExportedText<E, R>,
): Effect.Effect<Response, E, R> =>
  Effect.gen(function* () {
    const headers = {
      'Content-Type': formats[format].contentType,
      'Content-Disposition': `attachment; filename="${name}.${format}"`,
    }
    // Its body would be read by no one, and so never end.
    if (c.req.method === 'HEAD') return c.body(null, 200, headers)
    return c.body(yield* begun(pieces, format === 'csv' ? csvLine(columns) : ''), 200, headers)
  })

/** A whole list as objects. */
interface ExportedObjects<E, R> extends Omit<ExportedText<E, R>, 'pieces'> {
  readonly objects: Stream.Stream<Readonly<Record<string, unknown>>, E, R>
}

/** The same of objects, of which CSV has the columns and NDJSON all. */
export function respondWithObjects<E, R>(
  c: ApiContext,
  { objects, ...list }: ExportedObjects<E, R>,
): Effect.Effect<Response, E, R> {
  const line =
    list.format === 'csv'
      ? (object: Readonly<Record<string, unknown>>) => csvLine(list.columns.map((column) => object[column]))
      : (object: Readonly<Record<string, unknown>>) => `${JSON.stringify(object)}\n`
  const pieces = objects.pipe(
    Stream.bufferChunks({ capacity: 1 }),
    Stream.mapChunks((chunk) => Chunk.of(Array.from(chunk, line).join(''))),
  )
  return respondWithExport(c, { ...list, pieces })
}

/** The bytes of pieces of text after a head, once the first of them is there. Whoever reads them may cancel. */
const begun = <E, R>(
  pieces: Stream.Stream<string, E, R>,
  head: string,
): Effect.Effect<ReadableStream<Uint8Array>, E, R> =>
  Effect.gen(function* () {
    let isBegun = false
    let failed: Cause.Cause<E> = Cause.empty
    const watched = Stream.tapErrorCause(pieces, (cause) => {
      failed = cause
      return isBegun && !Cause.isInterruptedOnly(cause) ? logFailure(cause) : Effect.void
    })
    // The runtime of the request: its limits, and the servers that its user sees, hold for each piece.
    const runtime = yield* Effect.runtime<R>()
    const reader = Stream.toReadableStreamRuntime(watched, runtime).getReader()
    const first = yield* Effect.tryPromise({ try: () => reader.read(), catch: () => 'failed' as const }).pipe(
      Effect.catchAll(() => Effect.failCause(failed)),
      Effect.onInterrupt(() => Effect.promise(() => reader.cancel())),
    )
    isBegun = true
    const encoder = new TextEncoder()
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(encoder.encode(`${head}${first.value ?? ''}`))
        if (first.done) controller.close()
      },
      pull: async (controller) => {
        const { done, value } = await reader.read()
        if (done) controller.close()
        else controller.enqueue(encoder.encode(value))
      },
      cancel: (why) => reader.cancel(why),
    })
  })

const logFailure = (cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  const failure = Option.getOrNull(Cause.failureOption(cause))
  return failure instanceof StoreFailed
    ? logStoreFailure(failure, 'an export')
    : Effect.logError('an export failed', cause)
}
