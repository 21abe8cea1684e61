import { last } from '@netbox-pbs/core'
import { Branches } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { readBranchChange, readNewBranch } from '../branches/read-branch-request.ts'
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
import {
  branchChangeFilter,
  branchFilter,
  conflictFilter,
  servedBranch,
  servedBranchChange,
  servedConflict,
} from '../records/branch.ts'
import { actorOf } from '../rest/caller.ts'
import { respondWithRecords } from '../rest/envelope.ts'
import { etag, expectedVersions } from '../rest/etag.ts'
import { baseUrl, branchesPath, branchUrl } from '../rest/links.ts'
import { readBody } from '../rest/read-body.ts'
import { type Path, type Route, route } from '../rest/route.ts'
import { branchActionPaths, findBranch } from './branch-action-paths.ts'

const tags = ['plugins']
const onePath = `${branchesPath}{id}/`

const listRoute: Route = route(
  {
    method: 'get',
    path: branchesPath,
    tags,
    operationId: 'plugins_pbs_branches_list',
    parameters: [...branchFilter.parameters, ...pageParameters],
    responses: { ...errorResponses, 200: response('The branches, newest first', ref('BranchList')), ...wrongFilter },
  },
  (c) =>
    Effect.gen(function* () {
      const params = new URL(c.req.url).searchParams
      const { filter, ignored } = yield* branchFilter.read(params)
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
    parameters: [idParameter, ...branchChangeFilter.parameters, ...pageParameters],
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
      const { filter, ignored } = yield* branchChangeFilter.read(new URL(c.req.url).searchParams)
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
    parameters: [idParameter, ...conflictFilter.parameters, ...pageParameters],
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
      const { filter, ignored } = yield* conflictFilter.read(new URL(c.req.url).searchParams)
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
