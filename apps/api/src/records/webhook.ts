import { type Webhook as CoreWebhook, readHeaders, templateError, webhookMethods } from '@netbox-pbs/core'
import { z } from 'zod'
import { webhooksPath } from '../rest/links.ts'
import { numbers, recordFilter, search, texts } from '../rest/read-filter.ts'
import { text } from '../validation/read-record.ts'
import { time } from './fields.ts'

/** A webhook: where events are sent, and how. */
export const Webhook = z.object({
  id: z.int(),
  url: z.url(),
  display: z.string(),
  name: z.string(),
  description: z.string(),
  payload_url: z.string(),
  http_method: z.enum(webhookMethods),
  http_content_type: z.string(),
  additional_headers: z.string(),
  body_template: z.literal(''),
  secret_configured: z.boolean().describe('Whether requests are signed. The secret itself is never shown.'),
  ssl_verification: z.boolean(),
  ca_file_path: z.null(),
  created: time,
  last_updated: time,
})

/** The filters of the list of webhooks. */
export const webhookFilter = recordFilter<{
  readonly ids?: ReadonlyArray<number>
  readonly names?: ReadonlyArray<string>
  readonly search?: string
}>(Webhook, { parameters: { ids: numbers('id'), names: texts('name'), search: search('q') } })

const address = text(500).superRefine((given, context) => {
  const wrong = whatIsWrong(given)
  if (wrong !== null) context.addIssue({ code: 'custom', message: wrong })
})

function whatIsWrong(given: string): string | null {
  if (given === '') return 'This field may not be blank.'
  const template = templateError(given)
  if (template !== null) return template
  const url = /^https?:\/\/[^\s\p{Cc}]+$/iu.test(given) && URL.canParse(given) ? new URL(given) : null
  if (url === null) return 'Enter an http or https URL.'
  return url.username === '' && url.password === ''
    ? null
    : 'This field must not hold a user or password: send them as an Authorization header in additional_headers.'
}

const headers = text(5000).superRefine((given, context) => {
  const read = readHeaders(given)
  const wrong = templateError(given) ?? (typeof read === 'string' ? read : null)
  if (wrong !== null) context.addIssue({ code: 'custom', message: wrong })
})

/** The body of a write. */
export const WebhookRequest = z.object({
  name: text(150).min(1),
  description: text(200),
  payload_url: address,
  http_method: z.enum(webhookMethods),
  http_content_type: text(100).regex(
    /^[\w.+-]+\/[\w.+-]+(?:\s*;[\x20-\x7e]*)?$/,
    'Enter a media type, like application/json.',
  ),
  additional_headers: headers,
  secret: text(255).describe('Key of the header X-Hook-Signature; blank: requests are not signed. Left out: it stays.'),
  ssl_verification: z.boolean(),
})

/** How the body of a webhook is read. */
export const webhookBody = {
  schema: WebhookRequest,
  required: ['name', 'payload_url'],
  unbuilt: {
    body_template: 'Templates are not offered: the body is the JSON of the event.',
    ca_file_path: 'Files of the server are not read: give the process the certificate with NODE_EXTRA_CA_CERTS.',
    owner: 'Owners are not offered yet: leave owner out.',
  },
} as const

/** The values of a new webhook that its body leaves out. */
export const webhookDefaults = {
  description: '',
  http_method: 'POST',
  http_content_type: 'application/json',
  additional_headers: '',
  ssl_verification: true,
} as const

/** Address of a webhook. */
export const webhookUrl = (base: string, id: number): string => `${base}${webhooksPath}${id}/`

/** A webhook as REST answers it. */
export const servedWebhook = (base: string, webhook: CoreWebhook): z.infer<typeof Webhook> => ({
  id: webhook.id,
  url: webhookUrl(base, webhook.id),
  display: webhook.name,
  name: webhook.name,
  description: webhook.description,
  payload_url: webhook.payload_url,
  http_method: webhook.http_method,
  http_content_type: webhook.http_content_type,
  additional_headers: webhook.additional_headers,
  body_template: '',
  secret_configured: webhook.secret_configured,
  ssl_verification: webhook.ssl_verification,
  ca_file_path: null,
  created: webhook.created,
  last_updated: webhook.last_updated,
})
