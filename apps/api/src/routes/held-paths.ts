import { heldFields } from '@netbox-pbs/core'
import { HeldDeletionsChanged, HeldDeletionsStore } from '@netbox-pbs/core/ports'
import { confirmHeld, dismissHeld, type HeldDecision } from '@netbox-pbs/sync'
import { Effect, Option } from 'effect'
import { bodyErrors, errorResponses, idParameter, json, notFoundResponse, ref, response } from '../openapi/responses.ts'
import { HeldDeletions, sampleRows, servedHeld } from '../records/held-deletions.ts'
import { servedRun } from '../records/run.ts'
import { type ApiContext, actorOf } from '../rest/caller.ts'
import { HttpError, invalid, notFound } from '../rest/http-error.ts'
import { baseUrl, runsPath, runUrl } from '../rest/links.ts'
import { readBody } from '../rest/read-body.ts'
import { recordFilter } from '../rest/read-filter.ts'
import { type Path, type Route, route } from '../rest/route.ts'
import { rowId } from '../rest/row.ts'
import { pythonType } from '../validation/python-text.ts'
import { unknownKeys } from '../validation/unknown-keys.ts'
import { isDictionary, ownValue } from '../validation/validate-item.ts'
import { recordListOf } from './record-list.ts'
import { findRun } from './sync-run-paths.ts'

const tags = ['plugins']
const heldIdParameter = { ...idParameter, name: 'held_id' }
const parameters = [idParameter, heldIdParameter]

const listRoute = recordListOf({
  path: `${runsPath}{id}/held/`,
  operationId: 'plugins_pbs_sync_runs_held_list',
  description: 'The deletions that the run held back, in their present state',
  schema: 'HeldDeletionsList',
  filter: recordFilter(HeldDeletions, { fields: heldFields }),
  owner: findRun,
  read: ({ id }, query) =>
    Effect.gen(function* () {
      const { count, rows } = yield* (yield* HeldDeletionsStore).list({ runId: id, ...query })
      return { count, rows: yield* Effect.forEach(rows, sampleRows) }
    }),
  cursor: { idOf: ({ set }) => set.id, ordered: true },
  serve: (sampled, base, { id }) => servedHeld(base, id, sampled),
})

const detailRoute: Route = route(
  {
    method: 'get',
    path: `${runsPath}{id}/held/{held_id}/`,
    tags,
    operationId: 'plugins_pbs_sync_runs_held_retrieve',
    summary: 'Get held deletions',
    description: 'The scope, the number of its rows, and samples of them.',
    parameters,
    responses: {
      ...errorResponses,
      200: response('The held deletions in their present state', ref('HeldDeletions')),
      ...notFoundResponse,
    },
  },
  (c) =>
    Effect.gen(function* () {
      const { run, id } = yield* findHeld(c)
      const set = yield* (yield* HeldDeletionsStore).get({ id, runId: run })
      if (Option.isNone(set)) return yield* noHeld
      return c.json(servedHeld(baseUrl(c), run, yield* sampleRows(set.value)))
    }),
)

const decisionReplies = {
  ...errorResponses,
  409: response('The held deletions have changed since they were read, or are already decided', ref('HeldConflict')),
  ...notFoundResponse,
  ...bodyErrors,
}
const decisionBody = { content: json(ref('HeldDecision')) }

const confirmRoute: Route = route(
  {
    method: 'post',
    path: `${runsPath}{id}/held/{held_id}/confirm/`,
    tags,
    operationId: 'plugins_pbs_sync_runs_held_confirm',
    summary: 'Confirm held deletions',
    description: 'Starts a run; the rows go when its complete list lacks them too.',
    parameters,
    requestBody: decisionBody,
    responses: {
      201: response('The run that deletes the rows which are still missing', ref('SyncRun')),
      ...decisionReplies,
    },
  },
  (c) =>
    Effect.gen(function* () {
      const { decision, run } = yield* readDecision(c)
      const started = yield* orConflict(c, run, confirmHeld(decision))
      const base = baseUrl(c)
      return c.json(servedRun(base, started), 201, { Location: runUrl(base, started.id) })
    }),
)

const dismissRoute: Route = route(
  {
    method: 'post',
    path: `${runsPath}{id}/held/{held_id}/dismiss/`,
    tags,
    operationId: 'plugins_pbs_sync_runs_held_dismiss',
    summary: 'Dismiss held deletions',
    description: 'The rows stay, until more of the scope go missing.',
    parameters,
    requestBody: decisionBody,
    responses: { 200: response('The held deletions, whose rows stay', ref('HeldDeletions')), ...decisionReplies },
  },
  (c) =>
    Effect.gen(function* () {
      const { decision, run } = yield* readDecision(c)
      const set = yield* orConflict(c, run, dismissHeld(decision))
      return c.json(servedHeld(baseUrl(c), run, yield* sampleRows(set)))
    }),
)

/** Deletions that a run held back: list, confirm or dismiss them. */
export const heldPaths: ReadonlyArray<Path> = [
  { writers: 'operator', byServer: true, routes: [listRoute] },
  { writers: 'operator', byServer: true, routes: [detailRoute] },
  { writers: 'operator', byServer: true, routes: [confirmRoute] },
  { writers: 'operator', byServer: true, routes: [dismissRoute] },
]

const noHeld = notFound('No Held deletions matches the given query.')

/** The run and the held deletions that a path names; the set must be one that the run held. */
const findHeld = (c: ApiContext) =>
  Effect.gen(function* () {
    const { id: run } = yield* findRun(c)
    const id = rowId(c.req.param('held_id'))
    if (Option.isNone(yield* (yield* HeldDeletionsStore).get({ id, runId: run }))) return yield* noHeld
    return { run, id }
  })

/** Reads `{"revision": 3}`, which may be left out. */
const readDecision = (c: ApiContext) =>
  Effect.gen(function* () {
    const body = yield* readBody(c)
    if (!isDictionary(body)) {
      return yield* invalid({ __all__: [`Invalid data. Expected a dictionary, but got ${pythonType(body)}.`] })
    }
    const unknown = unknownKeys(body, ['revision'])
    if (Object.keys(unknown).length > 0) return yield* invalid(unknown)
    const revision = ownValue(body, 'revision') ?? null
    if (revision !== null && !Number.isSafeInteger(revision)) {
      return yield* invalid({ revision: ['A valid integer is required.'] })
    }
    const { run, id } = yield* findHeld(c)
    const decision: HeldDecision = {
      id,
      revision: revision === null ? null : Number(revision),
      ...actorOf(c),
    }
    return { run, decision }
  })

/** 409 with the present set, when it has changed since the operator's decision. */
const orConflict = <A, E, R>(c: ApiContext, run: number, decided: Effect.Effect<A, E | HeldDeletionsChanged, R>) =>
  Effect.catchIf(
    decided,
    (error): error is HeldDeletionsChanged => error instanceof HeldDeletionsChanged,
    (changed) =>
      Effect.flatMap(sampleRows(changed.set), (sampled) =>
        Effect.fail(
          new HttpError({
            status: 409,
            body: { detail: `${changed.message}.`, held: servedHeld(baseUrl(c), run, sampled) },
          }),
        ),
      ),
  )
