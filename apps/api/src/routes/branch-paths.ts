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
  ref,
  response,
  versionErrors,
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
import { pageOf } from '../rest/envelope.ts'
import { etag, expectedVersions } from '../rest/etag.ts'
import { baseUrl, branchesPath, branchUrl } from '../rest/links.ts'
import { readBody } from '../rest/read-body.ts'
import { type Path, type Route, route } from '../rest/route.ts'
import { branchActionPaths, findBranch } from './branch-action-paths.ts'

import { recordList, recordListOf } from './record-list.ts'

const tags = ['plugins']
const onePath = `${branchesPath}{id}/`

const listRoute = recordList({
  path: branchesPath,
  operationId: 'plugins_pbs_branches_list',
  description: 'The branches, newest first',
  schema: 'BranchList',
  filter: branchFilter,
  read: (query) => Effect.flatMap(Branches, (branches) => branches.list(query)),
  cursor: { idOf: ({ id }) => id, ordered: true },
  serve: (branch, base) => servedBranch(base, branch),
})

const createRoute: Route = route(
  {
    method: 'post',
    path: branchesPath,
    tags,
    operationId: 'plugins_pbs_branches_create',
    summary: 'Open a branch',
    description: 'A branch is an overlay of changes on main, kept for review. Requests name it by its schema_id.',
    requestBody: { content: json(ref('NewBranch')) },
    responses: {
      ...errorResponses,
      201: response('The branch, without changes', ref('Branch')),
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
    summary: 'Get a branch',
    description: 'With its status, the number of its changes and conflicts, and what its status allows.',
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
    summary: 'Change the name or description of a branch',
    description: 'The changes in the branch stay as they are.',
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

const changesRoute = recordListOf({
  path: `${onePath}changes/`,
  operationId: 'plugins_pbs_branches_changes_list',
  description: 'The changes of the branch, by model and id',
  schema: 'BranchChangeList',
  filter: branchChangeFilter,
  owner: findBranch,
  read: ({ id }, { limit, offset, ...filter }) =>
    Effect.flatMap(Branches, (branches) => branches.changes({ id, filter, limit, offset })),
  serve: servedBranchChange,
})

const conflictsRoute = recordListOf({
  path: `${onePath}conflicts/`,
  operationId: 'plugins_pbs_branches_conflicts_list',
  description: 'The conflicts, as they were when the branch was last compared with main',
  schema: 'BranchConflictList',
  filter: conflictFilter,
  owner: findBranch,
  read: ({ id }, query) =>
    Effect.flatMap(Branches, (branches) => branches.conflicts({ id, filter: query, ...pageOf(query) })),
  cursor: { idOf: ({ id }) => id, ordered: true },
  serve: servedConflict,
})

/** Branches: open one, list its changes and conflicts, resolve these, approve, merge, revert or close it. */
export const branchPaths: ReadonlyArray<Path> = [
  ...[[listRoute, createRoute], [detailRoute, changeRoute], [changesRoute], [conflictsRoute]].map(
    (routes): Path => ({ branch: 'any', writers: 'operator', routes }),
  ),
  ...branchActionPaths,
]
