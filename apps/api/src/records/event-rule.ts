import {
  type EventRule as CoreEventRule,
  type EventType,
  eventObjectTypes,
  eventTypeRules,
  eventTypes,
  type JsonValue,
  type LoggedValues,
  readConditions,
  unbuiltEventTypes,
  unbuiltObjectTypes,
} from '@netbox-pbs/core'
import { z } from 'zod'
import { eventRulesPath } from '../rest/links.ts'
import { flag, numbers, recordFilter, search, texts } from '../rest/read-filter.ts'
import { text } from '../validation/read-record.ts'
import { time } from './fields.ts'
import { webhookUrl } from './webhook.ts'

/** The object type of webhooks, which rules name as NetBox does. */
const webhookType = 'extras.webhook'

const actionTypes = ['webhook'] as const

/** A rule: which events are sent to which webhook. */
export const EventRule = z.object({
  id: z.int(),
  url: z.url(),
  display: z.string(),
  object_types: z.array(z.enum(eventObjectTypes)),
  name: z.string(),
  enabled: z.boolean(),
  event_types: z.array(z.enum(eventTypes)),
  conditions: z.unknown().describe("NetBox's condition set; null: every event."),
  action_type: z.object({ value: z.enum(actionTypes), label: z.string() }),
  action_object_type: z.literal(webhookType),
  action_object_id: z.int(),
  action_object: z.object({ id: z.int(), url: z.url(), display: z.string(), name: z.string() }),
  action_data: z.record(z.string(), z.unknown()).nullable(),
  description: z.string(),
  created: time,
  last_updated: time,
})

/** The filters of the list of event rules. */
export const eventRuleFilter = recordFilter<{
  readonly ids?: ReadonlyArray<number>
  readonly names?: ReadonlyArray<string>
  readonly search?: string
  readonly enabled?: boolean
  readonly webhookIds?: ReadonlyArray<number>
}>(EventRule, {
  parameters: {
    ids: numbers('id'),
    names: texts('name'),
    search: search('q'),
    enabled: flag('enabled'),
    webhookIds: numbers('action_object_id'),
  },
})

/** One of some names; another is refused, with a reason where it is one of NetBox's. */
const nameOf = <A extends string>(names: ReadonlyArray<A>, unbuilt: Readonly<Record<string, string>>) =>
  z.enum(names, {
    error: ({ input }) => (typeof input === 'string' && Object.hasOwn(unbuilt, input) ? unbuilt[input] : undefined),
  })

const listOf = <A extends string>(names: ReadonlyArray<A>, unbuilt: Readonly<Record<string, string>>) =>
  z
    .array(nameOf(names, unbuilt))
    .min(1)
    .max(100)
    .transform((given) => [...new Set(given)])

/** A rule's `{}` is null: no conditions. */
const conditions = z.unknown().transform((given, context): JsonValue => {
  if (given === null || (typeof given === 'object' && Object.keys(given).length === 0)) return null
  const read = readConditions(given)
  if (read._tag === 'conditions') return given as JsonValue // border: a part of a JSON body
  context.addIssue({ code: 'custom', message: read.message })
  return z.NEVER
})

/** Characters of JSON that a rule may add to each event. */
const longestData = 10_000

const actionData = z
  .record(z.string(), z.unknown())
  .nullable()
  .refine(
    (given) => JSON.stringify(given).length <= longestData,
    `Ensure this field has no more than ${longestData} characters.`,
  )
  .transform((given) => given as LoggedValues | null) // border: a part of a JSON body

/** The body of a write. */
export const EventRuleRequest = z.object({
  name: text(150).min(1),
  description: text(200),
  enabled: z.boolean(),
  object_types: listOf(eventObjectTypes, unbuiltObjectTypes),
  event_types: listOf(eventTypes, unbuiltEventTypes),
  conditions,
  action_type: nameOf(actionTypes, {
    script: 'Scripts are not offered: a rule sends a webhook.',
    notification: 'Notifications are not offered: a rule sends a webhook.',
  }),
  action_object_type: nameOf([webhookType], {}),
  action_object_id: z.int('A valid integer is required.'),
  action_data: actionData,
})

/** How the body of an event rule is read. */
export const eventRuleBody = {
  schema: EventRuleRequest,
  required: ['name', 'object_types', 'event_types', 'action_type', 'action_object_type', 'action_object_id'],
  unbuilt: { owner: 'Owners are not offered yet: leave owner out.' },
} as const

/** The values of a new rule that its body leaves out. */
export const eventRuleDefaults = { description: '', enabled: true, conditions: null, action_data: null } as const

/** A rule as REST answers it. */
export const servedEventRule = (base: string, rule: CoreEventRule): z.infer<typeof EventRule> => ({
  id: rule.id,
  url: `${base}${eventRulesPath}${rule.id}/`,
  display: rule.name,
  object_types: [...rule.object_types],
  name: rule.name,
  enabled: rule.enabled,
  event_types: [...rule.event_types],
  conditions: rule.conditions,
  action_type: { value: 'webhook', label: 'Webhook' },
  action_object_type: webhookType,
  action_object_id: rule.webhookId,
  action_object: {
    id: rule.webhookId,
    url: webhookUrl(base, rule.webhookId),
    display: rule.webhookName,
    name: rule.webhookName,
  },
  action_data: rule.action_data,
  description: rule.description,
  created: rule.created,
  last_updated: rule.last_updated,
})

/** An event type as NetBox serves a choice. */
export const eventTypeChoice = (type: EventType) => ({ value: type, label: eventTypeRules[type].label })
