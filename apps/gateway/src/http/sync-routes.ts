import { type Resource, resources } from '@netbox-pbs/core'
import type { EndpointStore, StoredEndpoint, StoreFailed } from '@netbox-pbs/core/ports'
import {
  envelopeOf,
  type Frame,
  ndjsonMediaType,
  type SyncEnvelope,
  type SyncItem,
  SyncRequest,
} from '@netbox-pbs/proxbox-client/contract'
import { Cause, Chunk, Effect, Stream } from 'effect'
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { contactServer, enabledEndpoints } from '../endpoints/endpoint-reader.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { Line } from '../scopes/open-scope.ts'
import { syncStream, Tally } from '../sync/sync-stream.ts'
import { HttpError } from './http-error.ts'
import { parse, readBody } from './read-body.ts'
import type { Run } from './run.ts'

const Query = z.object({
  netbox_branch_schema_id: z.string().max(255, 'must have at most 255 characters').optional(),
})

/** `/pbs/sync/*`: GET answers counts as proxbox-api does, POST the rows, as frames or as one document. */
export const syncRoutes = (run: Run<EndpointStore | Fleet>): Hono => {
  const routes = new Hono()
  for (const resource of summaryResources) routes.get(`/${resource}`, (c) => run(c, summarize(c, resource)))
  for (const resource of resources) routes.post(`/${resource}`, (c) => run(c, list(c, resource)))
  return routes
}

const summarize = (c: Context, resource: SummaryResource) =>
  Effect.gen(function* () {
    const query = yield* parse(Query, c.req.query(), 'query')
    return c.json({ items: yield* summaries(resource, query.netbox_branch_schema_id ?? null), raw: null })
  })

const list = (c: Context, resource: Resource) =>
  Effect.gen(function* () {
    const request = yield* readBody(c, SyncRequest, resource === 'snapshots' ? maxSnapshotsBody : undefined)
    const lines = yield* syncStream(resource, request)
    return wantsFrames(c) ? yield* frames(lines) : c.json(yield* syncDocument(lines))
  })

/** The largest body of a request for snapshots: 500,000 digests of groups, as many of frames, and the names. */
const maxSnapshotsBody = 32 * 1024 * 1024

const wantsFrames = (c: Context): boolean =>
  (c.req.header('accept') ?? '').split(',').some((type) => type.split(';')[0]?.trim().toLowerCase() === ndjsonMediaType)

/**
 * A response with backpressure: PBS is read only as fast as the client reads, and a client that
 * leaves ends the work.
 */
const frames = (lines: Stream.Stream<Line, never, Fleet>) =>
  lines.pipe(
    Stream.mapChunks((chunk) => Chunk.of(Buffer.from(Chunk.map(chunk, ({ text }) => text).pipe(Chunk.join(''))))),
    // Only a bug ends a stream otherwise; without its `end` the client knows it for cut off.
    Stream.tapErrorCause((cause) =>
      Cause.isInterruptedOnly(cause) ? Effect.void : Effect.logError('a sync stream broke', cause),
    ),
    Stream.toReadableStreamEffect({ strategy: new CountQueuingStrategy({ highWaterMark: 0 }) }),
    Effect.map(
      (body) =>
        new Response(body, {
          headers: { 'Content-Type': ndjsonMediaType, 'Cache-Control': 'no-store', 'Transfer-Encoding': 'chunked' },
        }),
    ),
  )

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

/** The resources of `GET /pbs/sync/…`. */
const summaryResources = ['full', 'datastores', 'snapshots', 'jobs', 'tasks', 'node'] as const

/** One of {@link summaryResources}. */
type SummaryResource = (typeof summaryResources)[number]

type Items = Effect.Effect<ReadonlyArray<SyncItem>, HttpError | StoreFailed, EndpointStore | Fleet>

/** Counts only, as proxbox-api answers: each list is read and dropped. */
const summaries = (resource: SummaryResource, branch: string | null): Items => {
  switch (resource) {
    case 'full':
      return Effect.map(
        Effect.forEach(['datastores', 'snapshots', 'jobs', 'node'] as const, (one) => summaries(one, branch)),
        (items) => items.flat(),
      )
    case 'node':
      return nodes(branch)
    default:
      return Effect.gen(function* () {
        const lines = yield* syncStream(resource, { netbox_branch_schema_id: branch })
        return yield* Stream.runFold(lines, [] as ReadonlyArray<SyncItem>, (items, { frame }) =>
          frame.frame === 'end' ? frame.items : items,
        )
      })
  }
}

const nodes = (branch: string | null): Items =>
  Effect.gen(function* () {
    const endpoints = yield* enabledEndpoints
    const tally = new Tally('node')
    const contact = (endpoint: StoredEndpoint) =>
      Effect.match(contactServer(endpoint, undefined), {
        onFailure: ({ message }) => tally.fail(endpoint.name, message),
        onSuccess: () => tally.answered(endpoint.name),
      })
    yield* Effect.forEach(endpoints, contact, { concurrency: 'unbounded', discard: true })
    return tally.items(endpoints, branch)
  })
