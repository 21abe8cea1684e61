import type { RouteConfig } from '@hono/zod-openapi'
import { Branches, BranchInConflict } from '@netbox-pbs/core/ports'
import { now } from '@netbox-pbs/sync'
import { Effect } from 'effect'
import { branchById } from '../branches/named-branch.ts'
import {
  readApproval,
  readCommit,
  readNothing,
  readResolve,
  readRevert,
  revertName,
} from '../branches/read-branch-request.ts'
import { requestMerge } from '../branches/request-merge.ts'
import { resolveConflicts } from '../branches/resolve-conflicts.ts'
import { pathId } from '../inventory/find-row.ts'
import { bodyErrors, errorResponses, idParameter, json, notFoundResponse, ref, response } from '../openapi/responses.ts'
import { servedBranch, servedConflict, servedMerge } from '../records/branch.ts'
import { type ApiContext, actorOf } from '../rest/caller.ts'
import { HttpError } from '../rest/http-error.ts'
import { baseUrl, branchesPath, branchUrl } from '../rest/links.ts'
import { readBody } from '../rest/read-body.ts'
import { type Handler, type Path, type Route, route } from '../rest/route.ts'

/** Conflicts that a refusal shows; the rest is in their list. */
const shownConflicts = 50

/** An action on a branch: the name of its path, its body, and its answer. */
interface Action {
  readonly name: string
  readonly summary: string
  readonly description: string
  /** Schema of the body; null: it takes none. */
  readonly body: string | null
  readonly answers: RouteConfig['responses']
}

/** The path that does something to the branch in it. */
function action({ name, summary, description, body, answers }: Action, handler: Handler): Route {
  return route(
    {
      method: 'post',
      path: `${branchesPath}{id}/${name}/`,
      tags: ['plugins'],
      operationId: `plugins_pbs_branches_${name}`,
      summary,
      description,
      parameters: [idParameter],
      ...(body === null ? {} : { requestBody: { content: json(ref(body)) } }),
      responses: {
        ...errorResponses,
        ...answers,
        409: response('The state of the branch does not allow it, or conflicts are unresolved', ref('BranchConflicts')),
        ...bodyErrors,
        ...notFoundResponse,
      },
    },
    handler,
  )
}

const resolve = action(
  {
    name: 'resolve',
    summary: 'Resolve conflicts of a branch',
    description: 'Decides for each conflict that the body names, or for all of them, between main and the branch.',
    body: 'ResolveRequest',
    answers: { 200: response('The branch, and the number of resolved conflicts', ref('ResolvedBranch')) },
  },
  (c) =>
    Effect.gen(function* () {
      const { id } = yield* findBranch(c)
      const request = yield* Effect.flatMap(readBody(c), readResolve)
      const resolved = yield* resolveConflicts({ id, ...request, by: actorOf(c) })
      return c.json({ ...servedBranch(baseUrl(c), yield* findBranch(c)), resolved })
    }),
)

const sync = action(
  {
    name: 'sync',
    summary: 'Rebase a branch on main',
    description: 'Compares the branch with what main has become. Without `commit` it is a dry run.',
    body: 'CommitRequest',
    answers: { 200: response('The branch after the rebase, or after its dry run', ref('SyncedBranch')) },
  },
  (c) =>
    Effect.gen(function* () {
      const { id } = yield* findBranch(c)
      const commit = yield* Effect.flatMap(readBody(c), readCommit)
      const branch = yield* withConflicts(id, (yield* Branches).sync({ id, commit, by: actorOf(c) }))
      return c.json({ ...servedBranch(baseUrl(c), branch), commit })
    }),
)

const merge = action(
  {
    name: 'merge',
    summary: 'Merge a branch into main',
    description: 'Applies all changes of the branch in one transaction, or none. Without `commit` it is a dry run.',
    body: 'CommitRequest',
    answers: { 200: response('The branch, and the result of the merge or of its dry run', ref('MergedBranch')) },
  },
  (c) =>
    Effect.gen(function* () {
      const { id } = yield* findBranch(c)
      const commit = yield* Effect.flatMap(readBody(c), readCommit)
      const outcome = yield* withConflicts(id, requestMerge({ id, commit, by: actorOf(c) }))
      return c.json(servedMerge(baseUrl(c), outcome, commit))
    }),
)

const revert = action(
  {
    name: 'revert',
    summary: 'Open a branch that reverts a merged one',
    description: 'The new branch holds the inverse changes. Without `commit` it is a dry run.',
    body: 'RevertRequest',
    answers: {
      200: response('The revert branch of the dry run', ref('SyncedBranch')),
      201: response('The revert branch', ref('SyncedBranch')),
    },
  },
  (c) =>
    Effect.gen(function* () {
      const reverted = yield* findBranch(c)
      const { name, commit } = yield* Effect.flatMap(readBody(c), readRevert)
      const by = actorOf(c)
      const branches = yield* Branches
      const request = { id: reverted.id, name: name ?? revertName(reverted), user: by.user, by, commit }
      const branch = yield* branches.revert(request)
      const base = baseUrl(c)
      const body = { ...servedBranch(base, branch), commit }
      return commit ? c.json(body, 201, { Location: branchUrl(base, branch.id) }) : c.json(body)
    }),
)

const approve = action(
  {
    name: 'approve',
    summary: 'Approve a branch',
    description: 'For its present revision; a later change needs another approval.',
    body: 'ApproveRequest',
    answers: { 200: response('The branch, approved in its present revision', ref('Branch')) },
  },
  (c) =>
    Effect.gen(function* () {
      const { id } = yield* findBranch(c)
      const revision = yield* Effect.flatMap(readBody(c), readApproval)
      const at = yield* now
      const by = actorOf(c)
      const branch = yield* (yield* Branches).approve({ id, revision, user: by.user, by, at })
      return c.json(servedBranch(baseUrl(c), branch))
    }),
)

const close = action(
  {
    name: 'close',
    summary: 'Close a branch',
    description: 'Ends the branch without a merge; its changes are dropped.',
    body: null,
    answers: { 200: response('The branch, closed', ref('Branch')) },
  },
  (c) =>
    Effect.gen(function* () {
      const { id } = yield* findBranch(c)
      yield* Effect.flatMap(readBody(c), readNothing)
      const branch = yield* (yield* Branches).close({ id, status: 'closed', by: actorOf(c) })
      return c.json(servedBranch(baseUrl(c), branch))
    }),
)

/** The actions of a branch. */
export const branchActionPaths: ReadonlyArray<Path> = [resolve, sync, merge, revert, approve, close].map(
  (route): Path => ({ branch: 'any', writers: 'operator', routes: [route] }),
)

/** The branch that a path names. */
export const findBranch = (c: ApiContext) => Effect.flatMap(pathId(c), branchById)

/** Answers conflicts with 409 and the first of them. */
const withConflicts = <A, E, R>(id: number, work: Effect.Effect<A, E | BranchInConflict, R>) =>
  Effect.catchIf(
    work,
    (error): error is BranchInConflict => error instanceof BranchInConflict,
    ({ message }) =>
      Effect.gen(function* () {
        const branches = yield* Branches
        const { rows } = yield* branches.conflicts({
          id,
          filter: { resolved: false },
          limit: shownConflicts,
          offset: 0,
        })
        const body = { detail: `${message}.`, conflicts: rows.map(servedConflict) }
        return yield* new HttpError({ status: 409, body })
      }),
  )
