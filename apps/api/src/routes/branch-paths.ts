import { branchStatuses, conflictKinds, modelNames, registry } from '@netbox-pbs/core'
import { Branches, BranchNotFound, SettingsStore } from '@netbox-pbs/core/ports'
import { DateTime, Effect, Option } from 'effect'
import { readBranchChange, readCommit, readConflictFilter, readResolve } from '../branches/read-branch-request.ts'
import {
  branchesPath,
  servedBranch,
  servedBranchChange,
  servedConflict,
  servedMerge,
} from '../branches/serve-branch.ts'
import { baseUrl } from '../http/base-url.ts'
import { type ApiContext, actorOf } from '../http/caller.ts'
import type { Path } from '../http/mount-routes.ts'
import { readBody } from '../http/read-body.ts'
import { invalid, Refused } from '../http/refused.ts'
import { replyRecords } from '../http/reply-records.ts'
import { type Route, route } from '../http/route.ts'
import { pathId } from '../inventory/find-row.ts'
import { bodyRefusals, idParameter, json, notThere, pageParameters, ref, refusals, reply } from '../openapi/replies.ts'

const tags = ['plugins']
const onePath = `${branchesPath}{id}/`
const ended = { 409: reply('The branch has ended, or conflicts wait for an answer', ref('BranchConflicts')) }
const choices = (name: string, values: ReadonlyArray<string>) => ({
  name,
  in: 'query' as const,
  schema: { type: 'array' as const, items: { type: 'string' as const, enum: [...values] } },
})

/** Conflicts that a refused merge shows. */
const shownConflicts = 50

const listRoute: Route = route(
  {
    method: 'get',
    path: branchesPath,
    tags,
    operationId: 'plugins_pbs_branches_list',
    parameters: [choices('status', branchStatuses), ...pageParameters],
    responses: { 200: reply('The branches, newest first', ref('BranchList')), ...refusals },
  },
  (c) =>
    Effect.gen(function* () {
      const params = new URL(c.req.url).searchParams
      const given = params.getAll('status').filter((status) => status !== '')
      const statuses = branchStatuses.filter((status) => given.includes(status))
      const unknown = given.find((status) => !statuses.some((known) => known === status))
      if (unknown !== undefined) {
        return yield* invalid({ status: [`Select a valid choice. ${unknown} is not one of the available choices.`] })
      }
      const branches = yield* Branches
      return yield* replyRecords(c, {
        path: branchesPath,
        read: (page) => branches.list({ ...(given.length === 0 ? {} : { statuses }), ...page }),
        serve: (branch, base) => servedBranch(base, branch),
      })
    }),
)

const detailRoute: Route = route(
  {
    method: 'get',
    path: onePath,
    tags,
    operationId: 'plugins_pbs_branches_retrieve',
    parameters: [idParameter],
    responses: { 200: reply('The branch', ref('Branch')), ...notThere, ...refusals },
  },
  (c) => Effect.map(findBranch(c), (branch) => c.json(servedBranch(baseUrl(c), branch))),
)

const changeRoute: Route = route(
  {
    method: 'patch',
    path: onePath,
    tags,
    operationId: 'plugins_pbs_branches_partial_update',
    parameters: [idParameter],
    requestBody: { content: json(ref('BranchRequest')) },
    responses: { 200: reply('The branch', ref('Branch')), ...bodyRefusals, ...notThere, ...refusals },
  },
  (c) =>
    Effect.gen(function* () {
      const { id } = yield* findBranch(c)
      const change = yield* Effect.flatMap(readBody(c), readBranchChange)
      const branches = yield* Branches
      return c.json(servedBranch(baseUrl(c), yield* branches.update({ id, ...change })))
    }),
)

const changesRoute: Route = route(
  {
    method: 'get',
    path: `${onePath}changes/`,
    tags,
    operationId: 'plugins_pbs_branches_changes_list',
    parameters: [idParameter, ...pageParameters],
    responses: { 200: reply('What the branch changes', ref('BranchChangeList')), ...notThere, ...refusals },
  },
  (c) =>
    Effect.gen(function* () {
      const { id } = yield* findBranch(c)
      const branches = yield* Branches
      return yield* replyRecords(c, {
        path: `${branchesPath}${id}/changes/`,
        read: (page) => branches.changes({ id, ...page }),
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
      choices('kind', conflictKinds),
      choices(
        'object_type',
        modelNames.map((model) => registry[model].objectType),
      ),
      { name: 'field', in: 'query', schema: { type: 'array', items: { type: 'string' } } },
      { name: 'resolved', in: 'query', schema: { type: 'boolean' } },
      ...pageParameters,
    ],
    responses: {
      200: reply('The conflicts, as they were when the branch was last compared with main', ref('BranchConflictList')),
      400: reply('What is wrong with each parameter', ref('FieldErrors')),
      ...notThere,
      ...refusals,
    },
  },
  (c) =>
    Effect.gen(function* () {
      const { id } = yield* findBranch(c)
      const filter = yield* readConflictFilter(new URL(c.req.url).searchParams)
      const branches = yield* Branches
      return yield* replyRecords(c, {
        path: `${branchesPath}${id}/conflicts/`,
        read: (page) => branches.conflicts({ id, filter, ...page }),
        serve: servedConflict,
      })
    }),
)

const resolveRoute: Route = route(
  {
    method: 'post',
    path: `${onePath}resolve/`,
    tags,
    operationId: 'plugins_pbs_branches_resolve',
    parameters: [idParameter],
    requestBody: { content: json(ref('ResolveRequest')) },
    responses: {
      200: reply('The branch, and how many conflicts were answered', ref('ResolvedBranch')),
      ...ended,
      ...bodyRefusals,
      ...notThere,
      ...refusals,
    },
  },
  (c) =>
    Effect.gen(function* () {
      const { id } = yield* findBranch(c)
      const request = yield* Effect.flatMap(readBody(c), readResolve)
      const branches = yield* Branches
      const resolved = yield* branches.resolve({ id, ...request, user: c.get('caller').username })
      return c.json({ ...servedBranch(baseUrl(c), yield* findBranch(c)), resolved })
    }),
)

const syncRoute: Route = route(
  {
    method: 'post',
    path: `${onePath}sync/`,
    tags,
    operationId: 'plugins_pbs_branches_sync',
    parameters: [idParameter],
    responses: {
      200: reply('The branch, compared with main as it is now', ref('Branch')),
      ...ended,
      ...notThere,
      ...refusals,
    },
  },
  (c) =>
    Effect.gen(function* () {
      const { id } = yield* findBranch(c)
      const branches = yield* Branches
      return c.json(servedBranch(baseUrl(c), yield* branches.check({ id })))
    }),
)

const mergeRoute: Route = route(
  {
    method: 'post',
    path: `${onePath}merge/`,
    tags,
    operationId: 'plugins_pbs_branches_merge',
    parameters: [idParameter],
    requestBody: { content: json(ref('CommitRequest')) },
    responses: {
      200: reply('The branch, and what the merge did or would do', ref('MergedBranch')),
      ...ended,
      ...bodyRefusals,
      ...notThere,
      ...refusals,
    },
  },
  (c) =>
    Effect.gen(function* () {
      const { id } = yield* findBranch(c)
      const commit = yield* Effect.flatMap(readBody(c), readCommit)
      const branches = yield* Branches
      const settings = yield* SettingsStore
      const at = DateTime.formatIso(yield* DateTime.now)
      const outcome = yield* branches
        .merge({ id, commit, by: actorOf(c), at, approval: (yield* settings.get()).branch_approval_required })
        .pipe(
          Effect.catchTag('BranchInConflict', ({ message }) =>
            Effect.flatMap(
              branches.conflicts({ id, filter: { resolved: false }, limit: shownConflicts, offset: 0 }),
              ({ rows }) =>
                new Refused({ status: 409, body: { detail: `${message}.`, conflicts: rows.map(servedConflict) } }),
            ),
          ),
        )
      return c.json(servedMerge(baseUrl(c), outcome, commit))
    }),
)

const closeRoute: Route = route(
  {
    method: 'post',
    path: `${onePath}close/`,
    tags,
    operationId: 'plugins_pbs_branches_close',
    parameters: [idParameter],
    responses: {
      200: reply('The branch, which changes nothing any more', ref('Branch')),
      ...ended,
      ...notThere,
      ...refusals,
    },
  },
  (c) =>
    Effect.gen(function* () {
      const { id } = yield* findBranch(c)
      const branches = yield* Branches
      return c.json(servedBranch(baseUrl(c), yield* branches.close({ id, status: 'closed' })))
    }),
)

/** Branches: see what they change and what stands against it, answer that, merge or close them. */
export const branchPaths: ReadonlyArray<Path> = [
  { routes: [listRoute] },
  { routes: [detailRoute, changeRoute] },
  { routes: [changesRoute] },
  { routes: [conflictsRoute] },
  { routes: [resolveRoute] },
  { routes: [syncRoute] },
  { routes: [mergeRoute] },
  { routes: [closeRoute] },
]

const findBranch = (c: ApiContext) =>
  Effect.gen(function* () {
    const id = yield* pathId(c)
    const branches = yield* Branches
    const found = Number.isSafeInteger(id) ? yield* branches.get({ id }) : Option.none()
    return Option.isSome(found) ? found.value : yield* new BranchNotFound({ id })
  })
