import type { LoggedValues } from '../change-log.ts'
import type { JsonValue } from '../registry/field.ts'
import { type ConditionSet, conditionAttributes, satisfies } from './conditions.ts'
import { type EventType, eventTypeRules, modelOfType } from './event-types.ts'

/** Something that happened, as rules judge it and webhooks tell of it. */
export interface RaisedEvent {
  readonly type: EventType
  readonly objectType: string
  /** Null: rows that a run created in one scope. */
  readonly objectId: number | null
  /** The object in words. */
  readonly title: string
  /** RFC 3339. */
  readonly time: string
  /** The user behind it; of a scheduled run empty. */
  readonly user: string
  /** The request behind it; null: a run, or the system. */
  readonly requestId: string | null
  /** The object as REST answers it, its links without a host. */
  readonly data: LoggedValues
  /** The object's stored values before and after; null: there was no object. */
  readonly snapshots: { readonly prechange: LoggedValues | null; readonly postchange: LoggedValues | null } | null
}

/** The part of a rule that decides which events it is about. */
export interface EventRuleMatch {
  readonly enabled: boolean
  readonly object_types: ReadonlyArray<string>
  readonly event_types: ReadonlyArray<EventType>
  /** Null: every event. */
  readonly conditions: ConditionSet | null
}

/** Whether a rule is about an event. Conditions see the data of the event, and its `snapshots`. */
export const isAbout = (rule: EventRuleMatch, event: RaisedEvent): boolean =>
  rule.enabled &&
  rule.object_types.includes(event.objectType) &&
  rule.event_types.includes(event.type) &&
  (rule.conditions === null || satisfies(rule.conditions, { snapshots: event.snapshots as JsonValue, ...event.data })) // border: logged values are JSON

/** The fields of a rule that cannot be together, with a sentence for each. */
export interface RuleErrors {
  readonly object_types?: string
  readonly event_types?: string
  readonly conditions?: string
}

/**
 * Judges what a rule asks for as a whole: events that never happen, and conditions that cannot be
 * judged. A sync's creations are one event for each scope, which knows only their server.
 */
export function ruleErrors({
  object_types,
  event_types,
  conditions,
}: Pick<EventRuleMatch, 'object_types' | 'event_types' | 'conditions'>): RuleErrors {
  const has = (event: EventType, type: string) => {
    const types: ReadonlyArray<string> = eventTypeRules[event].objectTypes
    return types.includes(type)
  }
  const idleType = object_types.find((type) => !event_types.some((event) => has(event, type)))
  const idleEvent = event_types.find((event) => !object_types.some((type) => has(event, type)))
  const attributes = conditions === null ? [] : conditionAttributes(conditions)
  const ofServers = object_types.includes(serverType)
  const beyondServer = attributes.find((attr) => ofServers || !isOfServer(attr))
  const createsRows =
    event_types.includes('object_created') && object_types.some((type) => modelOfType(type) !== undefined)
  return {
    ...(idleType === undefined ? {} : { object_types: `No event of this rule happens to ${idleType}: leave it out.` }),
    ...(idleEvent === undefined
      ? {}
      : {
          event_types: `${idleEvent} happens to no object of this rule: add one of ${eventTypeRules[idleEvent].objectTypes.join(', ')}.`,
        }),
    ...(createsRows && beyondServer !== undefined
      ? {
          conditions: `A sync tells of all rows that it creates in a scope with one event, which has their server and their numbers, but no ${beyondServer}. Make a rule of its own for object_created; its conditions may look at server, unless servers are among its object types.`,
        }
      : {}),
  }
}

const serverType = 'netbox_pbs.pbsserver'

const isOfServer = (attr: string): boolean => /^server(\.|$)/.test(attr)
