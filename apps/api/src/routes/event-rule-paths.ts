import { type EventRuleValues, readConditions, ruleErrors } from '@netbox-pbs/core'
import { EventRules, type WebhookNotFound } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import {
  EventRuleRequest,
  eventRuleBody,
  eventRuleDefaults,
  eventRuleFilter,
  servedEventRule,
} from '../records/event-rule.ts'
import { actorSaying } from '../rest/caller.ts'
import { expectedVersions } from '../rest/etag.ts'
import { type HttpError, invalid } from '../rest/http-error.ts'
import { eventRulesPath } from '../rest/links.ts'
import type { Path } from '../rest/route.ts'
import { describeFields } from '../validation/describe-fields.ts'
import { readRecord } from '../validation/read-record.ts'
import type { WriteMode } from '../validation/validate-item.ts'
import { recordList } from './record-list.ts'
import { recordPaths } from './record-paths.ts'
import { definedOnly, nameTaken } from './webhook-paths.ts'

const tags = ['extras']

/** Event rules, at NetBox's address. */
export const eventRulePaths: ReadonlyArray<Path> = recordPaths({
  path: eventRulesPath,
  tags,
  operation: 'extras_event_rules',
  noun: 'an event rule',
  label: 'EventRule',
  schema: 'EventRule',
  list: recordList({
    path: eventRulesPath,
    operationId: 'extras_event_rules_list',
    tags,
    description: 'The event rules, by name',
    schema: 'EventRuleList',
    filter: eventRuleFilter,
    read: (request) => Effect.flatMap(EventRules, (rules) => rules.list(request)),
    cursor: { idOf: ({ id }) => id, ordered: false },
    serve: (rule, base) => servedEventRule(base, rule),
  }),
  describe: () => describeFields(EventRuleRequest, eventRuleBody.required),
  get: (id) => Effect.flatMap(EventRules, (rules) => rules.get({ id })),
  create: (c, body) =>
    Effect.gen(function* () {
      const { change, message } = yield* read(body, 'whole')
      const { name = '', object_types = [], event_types = [], webhookId = 0, ...given } = change
      const values: EventRuleValues = { ...eventRuleDefaults, ...given, name, object_types, event_types, webhookId }
      yield* judge(values)
      const rules = yield* EventRules
      return yield* rules.create({ values, actor: actorSaying(c, message) }).pipe(Effect.catchTags(refusals))
    }),
  update: (c, { before, body, mode }) =>
    Effect.gen(function* () {
      const { change, message } = yield* read(body, mode)
      yield* judge({ ...before, ...change })
      const rules = yield* EventRules
      return yield* rules
        .update({ id: before.id, change, actor: actorSaying(c, message), versions: expectedVersions(c) })
        .pipe(Effect.catchTags(refusals))
    }),
  remove: (c, { before: { id }, message }) =>
    Effect.flatMap(EventRules, (rules) =>
      rules.remove({ id, actor: actorSaying(c, message), versions: expectedVersions(c) }),
    ),
  serve: (rule, base) => servedEventRule(base, rule),
})

/** The change that a body asks for, and its message for the change log. */
interface RuleChange {
  readonly change: Partial<EventRuleValues>
  readonly message: string
}

const read = (body: unknown, mode: WriteMode): Effect.Effect<RuleChange, HttpError> => {
  const given = readRecord(eventRuleBody, body, mode)
  if (given._tag === 'rejected') return Effect.fail(invalid(given.errors))
  const { action_type: _, action_object_type: __, action_object_id, ...values } = given.values
  const change = definedOnly({ ...values, webhookId: action_object_id })
  return Effect.succeed({ change, message: given.message })
}

/** A rule whose parts do not fit together would never send anything. */
const judge = (values: EventRuleValues): Effect.Effect<void, HttpError> => {
  const conditions = values.conditions === null ? null : readConditions(values.conditions)
  const errors = ruleErrors({
    ...values,
    conditions: conditions?._tag === 'conditions' ? conditions.conditions : null,
  })
  const named = Object.entries(errors).map(([field, message]) => [field, [message]])
  return named.length === 0 ? Effect.void : Effect.fail(invalid(Object.fromEntries(named)))
}

const refusals = {
  EventNameTaken: nameTaken('event rule'),
  WebhookNotFound: ({ id }: WebhookNotFound) =>
    Effect.fail(invalid({ action_object_id: [`Related object not found using the provided numeric ID: ${id}`] })),
}
