import type { LoggedValues } from '../change-log.ts'
import type { RaisedEvent } from './event-rule.ts'
import { eventTypeRules } from './event-types.ts'

/** The bytes that the body of one delivery may have. */
export const maxPayloadBytes = 1024 * 1024

/**
 * The JSON of a webhook, with NetBox's keys. `actionData` of the rule lies under the object's data:
 * the object wins.
 */
export function payloadOf(event: RaisedEvent, actionData: LoggedValues | null): LoggedValues {
  const { requestId, user } = event
  return {
    event: eventTypeRules[event.type].word,
    timestamp: pythonTime(event.time),
    object_type: event.objectType,
    username: user,
    request_id: requestId,
    data: { ...actionData, ...event.data },
    request: requestId === null ? null : { id: requestId, user },
    ...(event.snapshots === null ? {} : { snapshots: { ...event.snapshots } }),
  }
}

/** RFC 3339 as Python writes it: `2026-05-02T08:00:01+00:00`. */
const pythonTime = (time: string): string => time.replace(/Z$/, '+00:00')

/** Why a webhook cannot have a text with a template, which would be sent as it stands; null: it has none. */
export const templateError = (text: string): string | null =>
  /\{\{|\{%/.test(text)
    ? 'Templates are not offered: {{ … }} and {% … %} would be sent as they stand. The data of the event is in the body.'
    : null
