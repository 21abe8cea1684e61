import type { KnownRows, RecordPage, ReferencedRows } from '@netbox-pbs/core'
import type { ListedPage, StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import {
  branchParameters,
  errorResponses,
  idParameter,
  listResponse,
  notFoundResponse,
  pageParameters,
  presentationParameters,
  ref,
  startParameter,
  wrongFilter,
  wrongPage,
} from '../openapi/responses.ts'
import type { ApiContext } from '../rest/caller.ts'
import { type CursorOf, respondWithRecords } from '../rest/envelope.ts'
import { listParameters } from '../rest/export.ts'
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
  /** Fields of the brief form, in addition to those of every object; left out: the name. */
  readonly brief?: ReadonlyArray<string>
}

/** A list of records that are no inventory: `A` as the store has them, filtered by `F`. */
interface RecordList<F, A> extends ListDescription {
  readonly filter: RecordFilter<F>
  /** Finds the records that references of the filter name, of those that the caller may see. */
  readonly references?: (c: ApiContext, named: ReferencedRows) => Effect.Effect<KnownRows, StoreFailed, ApiServices>
  /** How it is read from an id on; left out: it cannot. */
  readonly cursor?: CursorOf<A>
  readonly read: (query: RecordQuery<F>['filter'] & RecordPage, c: ApiContext) => Served<ListedPage<A>>
  readonly serve: (record: A, base: string) => object
}

/**
 * The operation that lists records: it reads the filter and the page, names ignored parameters, and
 * answers NetBox's envelope.
 */
export const recordList = <F extends object, A>({ filter, cursor, references, ...list }: RecordList<F, A>): Route =>
  listRoute(
    list,
    filter,
    (c) =>
      answerList(c, {
        ...list,
        filter,
        ...given(cursor),
        ...(references === undefined ? {} : { references }),
      }),
    { cursor: cursor !== undefined },
  )

const given = <A>(cursor: CursorOf<A> | undefined) => (cursor === undefined ? {} : { cursor })

/** The same for the records of another one, `O`, that the path names. `owner` finds it, or fails with 404. */
export const recordListOf = <F extends object, A, O extends { readonly id: number }>({
  filter,
  cursor,
  owner,
  read,
  serve,
  ...about
}: Omit<RecordList<F, A>, 'read' | 'serve' | 'references'> & {
  readonly owner: (c: ApiContext) => Served<O>
  readonly read: (owner: O, query: RecordQuery<F>['filter'] & RecordPage) => Served<ListedPage<A>>
  readonly serve: (record: A, base: string, owner: O) => object
}): Route =>
  listRoute(
    about,
    filter,
    (c) =>
      Effect.flatMap(owner(c), (found) =>
        answerList(c, {
          ...about,
          path: about.path.replace('{id}', String(found.id)),
          filter,
          ...given(cursor),
          read: (query) => read(found, query),
          serve: (record, base) => serve(record, base, found),
        }),
      ),
    { ofAnother: true, cursor: cursor !== undefined },
  )

function listRoute<F>(
  { path, operationId, tags = ['plugins'], description, schema, branched = false }: ListDescription,
  { parameters }: RecordFilter<F>,
  handler: Handler,
  { ofAnother = false, cursor = false } = {},
): Route {
  return route(
    {
      method: 'get',
      path,
      tags: [...tags],
      operationId,
      summary: description,
      description: `Pages of NetBox's envelope: count, next, previous, results; or with \`export\` the whole list. A parameter that is not known is named in X-Ignored-Parameters.`,
      parameters: [
        ...(ofAnother ? [idParameter] : []),
        ...parameters,
        ...(cursor ? [startParameter] : []),
        ...pageParameters,
        ...presentationParameters,
        ...(branched ? branchParameters : []),
      ],
      responses: {
        ...errorResponses,
        200: listResponse(description, ref(schema)),
        ...(cursor ? wrongPage : wrongFilter),
        ...(ofAnother ? notFoundResponse : {}),
      },
    },
    handler,
  )
}

const answerList = <F extends object, A>(
  c: ApiContext,
  {
    path,
    brief = ['name'],
    filter,
    references,
    cursor,
    read,
    serve,
  }: Omit<RecordList<F, A>, keyof ListDescription> & Pick<ListDescription, 'path' | 'brief'>,
) =>
  Effect.gen(function* () {
    const { format, params } = yield* listParameters(c)
    const filters = new URLSearchParams(params)
    if (cursor !== undefined) filters.delete('start')
    const query = yield* filter.read(filters, references && ((named) => references(c, named)))
    return yield* respondWithRecords(c, {
      ...{ path, params, format, cursor, brief, columns: filter.columns },
      ignored: query.ignored,
      read: (page) => read({ ...query.filter, ...page }, c),
      serve,
    })
  })
