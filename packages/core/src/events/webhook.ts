import type { LoggedValues } from '../change-log.ts'
import type { JsonValue } from '../registry/field.ts'
import type { EventType } from './event-types.ts'

/** The methods by which a webhook may be sent. */
export const webhookMethods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** The method by which a webhook is sent. */
export type WebhookMethod = (typeof webhookMethods)[number]

/** The fields of a webhook that users write, without its secret. */
export interface WebhookValues {
  readonly name: string
  readonly description: string
  readonly payload_url: string
  readonly http_method: WebhookMethod
  readonly http_content_type: string
  /** Lines of `Name: value`. */
  readonly additional_headers: string
  /** Whether the certificate of an https receiver must be valid. */
  readonly ssl_verification: boolean
}

/** A receiver of events. Its secret, the key of `X-Hook-Signature`, is never part of it. */
export interface Webhook extends WebhookValues {
  readonly id: number
  readonly secret_configured: boolean
  /** RFC 3339. */
  readonly created: string
  readonly last_updated: string
}

/** The fields of an event rule that users write. */
export interface EventRuleValues {
  readonly name: string
  readonly description: string
  readonly enabled: boolean
  readonly object_types: ReadonlyArray<string>
  readonly event_types: ReadonlyArray<EventType>
  /** NetBox's condition set as it was written, which `readConditions` reads; null: every event. */
  readonly conditions: JsonValue
  /** The webhook that is sent. */
  readonly webhookId: number
  /** Lies under the data of each event; null: nothing. */
  readonly action_data: LoggedValues | null
}

/** Which events are sent to which webhook. */
export interface EventRule extends EventRuleValues {
  readonly id: number
  readonly webhookName: string
  /** RFC 3339. */
  readonly created: string
  readonly last_updated: string
}

/** Headers that a webhook sends itself, or that belong to the connection. */
const ownHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-hook-delivery',
  'x-hook-signature',
])

/** Reads lines of `Name: value`, or says what is wrong with them. A blank line is none. */
export function readHeaders(text: string): ReadonlyArray<readonly [name: string, value: string]> | string {
  const headers: Array<readonly [string, string]> = []
  for (const line of text.split(/\r?\n/).filter((one) => one.trim() !== '')) {
    const [, name = '', value = ''] = /^([!#$%&'*+.^_`|~\w-]+)\s*:\s*(.*?)\s*$/.exec(line) ?? []
    if (name === '') return 'Enter one header a line, as Name: value.'
    if (!/^[\t\x20-\x7e]*$/.test(value)) return `The value of ${name} may have printable ASCII characters only.`
    if (ownHeaders.has(name.toLowerCase())) return `${name} cannot be added: it is set for each request.`
    headers.push([name, value])
  }
  return headers.length > 50 ? 'There may be 50 headers.' : headers
}
