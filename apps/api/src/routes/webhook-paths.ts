import { type EventNameTaken, Webhooks } from '@netbox-pbs/core/ports'
import { Effect, Redacted } from 'effect'
import { servedWebhook, WebhookRequest, webhookBody, webhookDefaults, webhookFilter } from '../records/webhook.ts'
import { actorSaying } from '../rest/caller.ts'
import { expectedVersions } from '../rest/etag.ts'
import { type HttpError, invalid } from '../rest/http-error.ts'
import { webhooksPath } from '../rest/links.ts'
import type { Path } from '../rest/route.ts'
import { describeFields } from '../validation/describe-fields.ts'
import { readRecord } from '../validation/read-record.ts'
import type { WriteMode } from '../validation/validate-item.ts'
import { recordList } from './record-list.ts'
import { recordPaths } from './record-paths.ts'

const tags = ['extras']

/** Webhooks, at NetBox's address. */
export const webhookPaths: ReadonlyArray<Path> = recordPaths({
  path: webhooksPath,
  tags,
  operation: 'extras_webhooks',
  noun: 'a webhook',
  label: 'Webhook',
  schema: 'Webhook',
  list: recordList({
    path: webhooksPath,
    operationId: 'extras_webhooks_list',
    tags,
    description: 'The webhooks, by name',
    schema: 'WebhookList',
    filter: webhookFilter,
    read: (request) => Effect.flatMap(Webhooks, (webhooks) => webhooks.list(request)),
    cursor: { idOf: ({ id }) => id, ordered: false },
    serve: (webhook, base) => servedWebhook(base, webhook),
  }),
  describe: () => describeFields(WebhookRequest, webhookBody.required),
  get: (id) => Effect.flatMap(Webhooks, (webhooks) => webhooks.get({ id })),
  create: (c, body) =>
    Effect.gen(function* () {
      const { values, message } = yield* read(body, 'whole')
      const { secret = '', name = '', payload_url = '', ...given } = values
      const webhooks = yield* Webhooks
      return yield* webhooks
        .create({
          values: { name, payload_url, ...webhookDefaults, ...definedOnly(given) },
          secret: Redacted.make(secret),
          actor: actorSaying(c, message),
        })
        .pipe(Effect.catchTag('EventNameTaken', nameTaken('webhook')))
    }),
  update: (c, { before, body, mode }) =>
    Effect.gen(function* () {
      const { values, message } = yield* read(body, mode)
      const { secret, ...change } = values
      const webhooks = yield* Webhooks
      return yield* webhooks
        .update({
          id: before.id,
          change: definedOnly(change),
          ...(secret === undefined ? {} : { secret: Redacted.make(secret) }),
          actor: actorSaying(c, message),
          versions: expectedVersions(c),
        })
        .pipe(Effect.catchTag('EventNameTaken', nameTaken('webhook')))
    }),
  remove: (c, { before: { id }, message }) =>
    Effect.flatMap(Webhooks, (webhooks) =>
      webhooks.remove({ id, actor: actorSaying(c, message), versions: expectedVersions(c) }),
    ),
  serve: (webhook, base) => servedWebhook(base, webhook),
})

const read = (body: unknown, mode: WriteMode) => {
  const given = readRecord(webhookBody, body, mode)
  return given._tag === 'values' ? Effect.succeed(given) : invalid(given.errors)
}

/** Another record has the name, in NetBox's words. */
export const nameTaken =
  (noun: string) =>
  (_: EventNameTaken): Effect.Effect<never, HttpError> =>
    Effect.fail(invalid({ name: [`${noun} with this name already exists.`] }))

/** The given fields of a change. JSON holds no undefined, so that a field which is undefined was left out. */
export const definedOnly = <A extends object>(change: A): { [K in keyof A]?: Exclude<A[K], undefined> } =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as {
    [K in keyof A]?: Exclude<A[K], undefined>
  } // border: fromEntries forgets the names
