import type { Page } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import {
  branchParameters,
  errorResponses,
  idParameter,
  notFoundResponse,
  pageParameters,
  presentationParameters,
  ref,
  response,
  wrongFilter,
} from '../openapi/responses.ts'
import type { ApiContext } from '../rest/caller.ts'
import { respondWithRecords } from '../rest/envelope.ts'
import type { RecordFilter, RecordQuery } from '../rest/read-filter.ts'
import { type Handler, type HandlerError, type Route, route } from '../rest/route.ts'
import type { ApiServices } from '../services.ts'

type Served<A> = Effect.Effect<A, HandlerError, ApiServices>

/** How a list of records is described. */
interface ListDescription {
  readonly path: string
  readonly operationId: string
  readonly tags?: ReadonlyArray<string>
  /** The description of the list, and its order. */
  readonly description: string
  /** The list's schema in the document. */
  readonly schema: string
  /** A request may name a branch, in which the list is read. */
  readonly branched?: boolean
}

/** A list of records that are no inventory: `A` as the store has them, filtered by `F`. */
interface RecordList<F, A> extends ListDescription {
  readonly filter: RecordFilter<F>
  readonly read: (
    query: RecordQuery<F>['filter'] & { readonly limit: number; readonly offset: number },
    c: ApiContext,
  ) => Served<Page<A>>
  readonly serve: (record: A, base: string) => object
}

/**
 * The operation that lists records: it reads the filter and the page, names ignored parameters, and
 * answers NetBox's envelope.
 */
export const recordList = <F extends object, A>({ filter, read, serve, ...about }: RecordList<F, A>): Route =>
  listRoute(about, filter, (c) => answerList(c, { path: about.path, filter, read, serve }))

/** The same for the records of another one, `O`, that the path names. `owner` finds it, or fails with 404. */
export const recordListOf = <F extends object, A, O extends { readonly id: number }>({
  filter,
  owner,
  read,
  serve,
  ...about
}: Omit<RecordList<F, A>, 'read' | 'serve'> & {
  readonly owner: (c: ApiContext) => Served<O>
  readonly read: (
    owner: O,
    query: RecordQuery<F>['filter'] & { readonly limit: number; readonly offset: number },
  ) => Served<Page<A>>
  readonly serve: (record: A, base: string, owner: O) => object
}): Route =>
  listRoute(
    about,
    filter,
    (c) =>
      Effect.flatMap(owner(c), (found) =>
        answerList(c, {
          path: about.path.replace('{id}', String(found.id)),
          filter,
          read: (query) => read(found, query),
          serve: (record, base) => serve(record, base, found),
        }),
      ),
    { ofAnother: true },
  )

function listRoute<F>(
  { path, operationId, tags = ['plugins'], description, schema, branched = false }: ListDescription,
  { parameters }: RecordFilter<F>,
  handler: Handler,
  { ofAnother = false } = {},
): Route {
  return route(
    {
      method: 'get',
      path,
      tags: [...tags],
      operationId,
      summary: description,
      description: `Pages of NetBox's envelope: count, next, previous, results. A parameter that is not known is named in X-Ignored-Parameters.`,
      parameters: [
        ...(ofAnother ? [idParameter] : []),
        ...parameters,
        ...pageParameters,
        ...presentationParameters,
        ...(branched ? branchParameters : []),
      ],
      responses: {
        ...errorResponses,
        200: response(description, ref(schema)),
        ...wrongFilter,
        ...(ofAnother ? notFoundResponse : {}),
      },
    },
    handler,
  )
}

const answerList = <F extends object, A>(
  c: ApiContext,
  { path, filter, read, serve }: Pick<RecordList<F, A>, 'path' | 'filter' | 'read' | 'serve'>,
) =>
  Effect.gen(function* () {
    const params = new URL(c.req.url).searchParams
    const query = yield* filter.read(params)
    return yield* respondWithRecords(c, {
      path,
      ignored: query.ignored,
      read: (page) => read({ ...query.filter, ...page }, c),
      serve,
    })
  })
