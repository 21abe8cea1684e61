import type { FieldErrors, Finding } from '@netbox-pbs/core'
import { Findings } from '@netbox-pbs/core/ports'
import { Clock, Effect, Option } from 'effect'
import { knownServers, pathId } from '../inventory/find-row.ts'
import { bodyErrors, errorResponses, idParameter, json, notFoundResponse, ref, response } from '../openapi/responses.ts'
import { FindingChange, findingFilter, servedFinding } from '../records/finding.ts'
import { type ApiContext, actorOf } from '../rest/caller.ts'
import { pageOf } from '../rest/envelope.ts'
import { badRequest, invalid, notFound } from '../rest/http-error.ts'
import { baseUrl, findingsPath } from '../rest/links.ts'
import { readBody } from '../rest/read-body.ts'
import { type Path, type Route, route } from '../rest/route.ts'
import { readRecord } from '../validation/read-record.ts'
import { recordList } from './record-list.ts'

const tags = ['plugins']

const listRoute = recordList({
  path: findingsPath,
  operationId: 'plugins_pbs_findings_list',
  description: 'What is wrong: open findings first, the worst first, then the oldest',
  schema: 'FindingList',
  filter: findingFilter,
  brief: ['kind', 'severity', 'state', 'sentence'],
  references: (_, named) => knownServers(named),
  read: ({ search, ...query }) =>
    Effect.flatMap(Findings, (findings) =>
      findings.list({ filter: { ...query, ...(search === undefined ? {} : { search }) }, ...pageOf(query) }),
    ),
  cursor: { idOf: ({ id }) => id, ordered: false },
  serve: (finding, base) => servedFinding(base, finding),
})

const none = notFound('No Finding matches the given query.')

const findFinding = (c: ApiContext) =>
  Effect.gen(function* () {
    const found = yield* (yield* Findings).get({ id: yield* pathId(c) })
    return Option.isSome(found) ? found.value : yield* none
  })

const detailRoute: Route = route(
  {
    method: 'get',
    path: `${findingsPath}{id}/`,
    tags,
    operationId: 'plugins_pbs_findings_retrieve',
    summary: 'Get a finding',
    description: 'What is wrong, since when, and what mends it; of a closed one the observation that closed it.',
    parameters: [idParameter],
    responses: { ...errorResponses, 200: response('The finding', ref('Finding')), ...notFoundResponse },
  },
  (c) => Effect.map(findFinding(c), (found) => c.json(servedFinding(baseUrl(c), found))),
)

const changeRoute: Route = route(
  {
    method: 'patch',
    path: `${findingsPath}{id}/`,
    tags,
    operationId: 'plugins_pbs_findings_partial_update',
    summary: 'Snooze a finding',
    description:
      'With `snoozed_until` and `snooze_reason` it is snoozed until then, for everybody; with `snoozed_until` null it is open again. The change log says who did it. Everything else follows from the inventory.',
    parameters: [idParameter],
    requestBody: { content: json(ref('FindingChange')) },
    responses: {
      ...errorResponses,
      200: response('The finding as it is now', ref('Finding')),
      ...bodyErrors,
      400: response('The errors of each field, or that the finding is closed', {
        anyOf: [ref('FieldErrors'), ref('Detail')],
      }),
      ...notFoundResponse,
    },
  },
  (c) =>
    Effect.gen(function* () {
      const finding = yield* findFinding(c)
      const snooze = readSnooze(finding, yield* readBody(c), yield* Clock.currentTimeMillis)
      if ('errors' in snooze) return yield* invalid(snooze.errors)
      const { message, ...change } = snooze
      const actor = { ...actorOf(c), ...(message === '' ? {} : { message }) }
      const changed = yield* (yield* Findings)
        .snooze({ id: finding.id, ...change, actor })
        .pipe(Effect.catchTag('FindingClosed', (closed) => badRequest(closed.message)))
      return Option.isSome(changed) ? c.json(servedFinding(baseUrl(c), changed.value)) : yield* none
    }),
)

/** How a body snoozes a finding; a field that is left out stays. */
function readSnooze(
  finding: Finding,
  body: unknown,
  now: number,
):
  | { readonly errors: FieldErrors }
  | { readonly until: string | null; readonly reason: string; readonly message: string } {
  const read = readRecord({ schema: FindingChange, required: [], unbuilt: {} }, body, 'partial')
  if (read._tag === 'rejected') return { errors: read.errors }
  const { snoozed_until: until = finding.snoozed_until, snooze_reason: reason = finding.snooze_reason } = read.values
  const { message } = read
  if (until === null) return { until, reason: '', message }
  const isPast = read.values.snoozed_until !== undefined && Date.parse(until) <= now
  const errors: FieldErrors = {
    ...(isPast ? { snoozed_until: ['This time has passed: enter one to come, or null to end the snooze.'] } : {}),
    ...(reason === '' ? { snooze_reason: ['Say why it is snoozed.'] } : {}),
  }
  return Object.keys(errors).length > 0 ? { errors } : { until, reason, message }
}

/** What is wrong: read and snooze it. */
export const findingPaths: ReadonlyArray<Path> = [
  { byServer: true, routes: [listRoute] },
  { byServer: true, writers: 'operator', routes: [detailRoute, changeRoute] },
]
