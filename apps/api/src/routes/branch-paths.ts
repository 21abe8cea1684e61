import {
  branchedModels,
  branchKinds,
  branchStatuses,
  changeActions,
  conflictKinds,
  last,
  registry,
} from '@netbox-pbs/core'
import { Branches } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { readBranchChangeFilter, readBranchFilter, readConflictFilter } from '../branches/read-branch-filter.ts'
import { readBranchChange, readNewBranch } from '../branches/read-branch-request.ts'
import { servedBranch, servedBranchChange, servedConflict } from '../branches/serve-branch.ts'
import {
  bodyErrors,
  errorResponses,
  idParameter,
  ifMatchParameter,
  json,
  notFoundResponse,
  pageParameters,
  ref,
  response,
  versionErrors,
  wrongFilter,
} from '../openapi/responses.ts'
import { actorOf } from '../rest/caller.ts'
import { respondWithRecords } from '../rest/envelope.ts'
import { etag, expectedVersions } from '../rest/etag.ts'
import { baseUrl, branchesPath, branchUrl } from '../rest/links.ts'
import { readBody } from '../rest/read-body.ts'
import { type Path, type Route, route } from '../rest/route.ts'
import { branchActionPaths, findBranch } from './branch-action-paths.ts'

const tags = ['plugins']
const onePath = `${branchesPath}{id}/`
const inQuery = (name: string, schema: object) => ({ name, in: 'query' as const, schema })
const choices = (name: string, values: ReadonlyArray<string>) =>
  inQuery(name, { type: 'array', items: { type: 'string', enum: [...values] } })
const texts = (name: string) => inQuery(name, { type: 'array', items: { type: 'string' } })
const numbers = (name: string) => inQuery(name, { type: 'array', items: { type: 'integer' } })
const search = inQuery('q', { type: 'string' })
const objectTypes = choices(
  'object_type',
  branchedModels.map((model) => registry[model].objectType),
)

const listRoute: Route = route(
  {
    method: 'get',
    path: branchesPath,
    tags,
    operationId: 'plugins_pbs_branches_list',
    parameters: [
      choices('status', branchStatuses),
      choices('kind', branchKinds),
      texts('name'),
      texts('schema_id'),
      texts('user'),
      inQuery('run', { type: 'integer' }),
      search,
      inQuery('ordering', { type: 'string', enum: ['id', '-id'], default: '-id' }),
      ...pageParameters,
    ],
    responses: { ...errorResponses, 200: response('The branches, newest first', ref('BranchList')), ...wrongFilter },
  },
  (c) =>
    Effect.gen(function* () {
      const params = new URL(c.req.url).searchParams
      const { filter, ignored } = yield* readBranchFilter(params)
      const oldestFirst = last(params, 'ordering') === 'id'
      const branches = yield* Branches
      return yield* respondWithRecords(c, {
        path: branchesPath,
        ignored,
        read: (page) => branches.list({ ...filter, oldestFirst, ...page }),
        serve: (branch, base) => servedBranch(base, branch),
      })
    }),
)

const createRoute: Route = route(
  {
    method: 'post',
    path: branchesPath,
    tags,
    operationId: 'plugins_pbs_branches_create',
    requestBody: { content: json(ref('NewBranch')) },
    responses: {
      ...errorResponses,
      201: response('The branch, which changes nothing yet', ref('Branch')),
      ...bodyErrors,
    },
  },
  (c) =>
    Effect.gen(function* () {
      const request = yield* Effect.flatMap(readBody(c), readNewBranch)
      const by = actorOf(c)
      const branches = yield* Branches
      const branch = yield* branches.create({
        ...request,
        kind: 'operator',
        user: by.user,
        by,
        runId: null,
        review: false,
      })
      const base = baseUrl(c)
      return c.json(servedBranch(base, branch), 201, { Location: branchUrl(base, branch.id), ETag: etag(branch) })
    }),
)

const detailRoute: Route = route(
  {
    method: 'get',
    path: onePath,
    tags,
    operationId: 'plugins_pbs_branches_retrieve',
    parameters: [idParameter],
    responses: { ...errorResponses, 200: response('The branch', ref('Branch')), ...notFoundResponse },
  },
  (c) => Effect.map(findBranch(c), (branch) => c.json(servedBranch(baseUrl(c), branch), 200, { ETag: etag(branch) })),
)

const changeRoute: Route = route(
  {
    method: 'patch',
    path: onePath,
    tags,
    operationId: 'plugins_pbs_branches_partial_update',
    parameters: [idParameter, ifMatchParameter],
    requestBody: { content: json(ref('BranchRequest')) },
    responses: {
      ...errorResponses,
      200: response('The branch', ref('Branch')),
      ...bodyErrors,
      ...notFoundResponse,
      ...versionErrors,
    },
  },
  (c) =>
    Effect.gen(function* () {
      const { id } = yield* findBranch(c)
      const change = yield* Effect.flatMap(readBody(c), readBranchChange)
      const branches = yield* Branches
      const branch = yield* branches.update({ id, ...change, versions: expectedVersions(c), by: actorOf(c) })
      return c.json(servedBranch(baseUrl(c), branch), 200, { ETag: etag(branch) })
    }),
)

const changesRoute: Route = route(
  {
    method: 'get',
    path: `${onePath}changes/`,
    tags,
    operationId: 'plugins_pbs_branches_changes_list',
    parameters: [
      idParameter,
      objectTypes,
      choices('action', changeActions),
      numbers('object_id'),
      search,
      ...pageParameters,
    ],
    responses: {
      ...errorResponses,
      200: response('What the branch changes, by model and id', ref('BranchChangeList')),
      ...wrongFilter,
      ...notFoundResponse,
    },
  },
  (c) =>
    Effect.gen(function* () {
      const { id } = yield* findBranch(c)
      const { filter, ignored } = yield* readBranchChangeFilter(new URL(c.req.url).searchParams)
      const branches = yield* Branches
      return yield* respondWithRecords(c, {
        path: `${branchesPath}${id}/changes/`,
        ignored,
        read: (page) => branches.changes({ id, filter, ...page }),
        serve: servedBranchChange,
      })
    }),
)

const conflictsRoute: Route = route(
  {
    method: 'get',
    path: `${onePath}conflicts/`,
    tags,
    operationId: 'plugins_pbs_branches_conflicts_list',
    parameters: [
      idParameter,
      numbers('id'),
      choices('kind', conflictKinds),
      objectTypes,
      texts('field'),
      texts('scope'),
      inQuery('resolved', { type: 'boolean' }),
      ...pageParameters,
    ],
    responses: {
      ...errorResponses,
      200: response(
        'The conflicts, as they were when the branch was last compared with main',
        ref('BranchConflictList'),
      ),
      ...wrongFilter,
      ...notFoundResponse,
    },
  },
  (c) =>
    Effect.gen(function* () {
      const { id } = yield* findBranch(c)
      const { filter, ignored } = yield* readConflictFilter(new URL(c.req.url).searchParams)
      const branches = yield* Branches
      return yield* respondWithRecords(c, {
        path: `${branchesPath}${id}/conflicts/`,
        ignored,
        read: (page) => branches.conflicts({ id, filter, ...page }),
        serve: servedConflict,
      })
    }),
)

/** Branches: open one, see what it changes and what stands against it, answer that, approve, merge, undo or close it. */
export const branchPaths: ReadonlyArray<Path> = [
  ...[[listRoute, createRoute], [detailRoute, changeRoute], [changesRoute], [conflictsRoute]].map(
    (routes): Path => ({ branch: 'any', routes }),
  ),
  ...branchActionPaths,
]
