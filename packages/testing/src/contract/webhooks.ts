import type { EventRuleValues, WebhookValues } from '@netbox-pbs/core'
import { EventNameTaken, EventRules, VersionChanged, WebhookNotFound, Webhooks } from '@netbox-pbs/core/ports'
import { Effect, Option, Redacted } from 'effect'
import { expect, test } from 'vitest'

/** Webhooks and event rules under test; the suite names each once. */
export interface WebhooksUnderTest {
  readonly run: <A, E>(effect: Effect.Effect<A, E, Webhooks | EventRules>) => Promise<A>
}

const actor = { user: 'ada', requestId: '5c0f2f7e-0000-4000-8000-000000000003' }

/** A webhook of a test. */
export const webhookValues = (name: string, change: Partial<WebhookValues> = {}): WebhookValues => ({
  name,
  description: '',
  payload_url: 'http://127.0.0.1:9/',
  http_method: 'POST',
  http_content_type: 'application/json',
  additional_headers: '',
  ssl_verification: true,
  ...change,
})

/** A rule of a test. */
export const ruleValues = (
  name: string,
  webhookId: number,
  change: Partial<EventRuleValues> = {},
): EventRuleValues => ({
  name,
  description: '',
  enabled: true,
  object_types: ['netbox_pbs.pbsdatastore'],
  event_types: ['object_updated'],
  conditions: null,
  webhookId,
  action_data: null,
  ...change,
})

/** The contract of `Webhooks` and `EventRules`. */
export const webhooksContract = ({ run }: WebhooksUnderTest): void => {
  const webhooks = <A, E>(use: (webhooks: typeof Webhooks.Service) => Effect.Effect<A, E>) =>
    run(Effect.flatMap(Webhooks, use))
  const rules = <A, E>(use: (rules: typeof EventRules.Service) => Effect.Effect<A, E>) =>
    run(Effect.flatMap(EventRules, use))
  const newWebhook = (name: string, secret = '') =>
    webhooks((w) => w.create({ values: webhookValues(name), secret: Redacted.make(secret), actor }))
  const everything = { limit: 100, offset: 0 }

  test('keeps a webhook, and of its secret shows only whether there is one', async () => {
    const made = await newWebhook('kept', 'hush')
    expect(made).toEqual({
      id: expect.any(Number),
      ...webhookValues('kept'),
      secret_configured: true,
      created: expect.stringMatching(/Z$/),
      last_updated: made.created,
    })
    expect(await webhooks((w) => w.get({ id: made.id }))).toEqual(Option.some(made))
    const changed = await webhooks((w) =>
      w.update({ id: made.id, change: { description: 'new' }, actor, versions: [made.last_updated] }),
    )
    const after = Option.getOrThrow(changed)
    expect(after).toEqual({ ...made, description: 'new', last_updated: after.last_updated })
    expect(after.last_updated > made.last_updated).toBe(true)
    const stale = webhooks((w) =>
      Effect.flip(w.update({ id: made.id, change: {}, actor, versions: [made.last_updated] })),
    )
    expect(await stale).toEqual(new VersionChanged({ version: after.last_updated }))
    const unsigned = await webhooks((w) =>
      w.update({ id: made.id, change: {}, secret: Redacted.make(''), actor, versions: undefined }),
    )
    expect(Option.getOrThrow(unsigned).secret_configured).toBe(false)
  })

  test('finds by id, name and text, ordered by name', async () => {
    const [b, a] = [await newWebhook('find-b'), await newWebhook('find-a')]
    const names = async (request: object) =>
      (await webhooks((w) => w.list({ ...everything, ...request }))).rows.map(({ name }) => name)
    expect(await names({ search: 'FIND-' })).toEqual(['find-a', 'find-b'])
    expect(await names({ search: 'find-', limit: 1, offset: 1 })).toEqual(['find-b'])
    expect(await names({ ids: [b.id] })).toEqual(['find-b'])
    expect(await names({ names: ['find-a', 'nope'] })).toEqual(['find-a'])
    expect(await webhooks((w) => w.get({ id: a.id + 1_000_000 }))).toEqual(Option.none())
  })

  test('gives no name twice', async () => {
    const [first, second] = [await newWebhook('taken'), await newWebhook('free')]
    const taken = new EventNameTaken({ name: 'taken' })
    const again = webhooks((w) =>
      Effect.flip(w.create({ values: webhookValues('taken'), secret: Redacted.make(''), actor })),
    )
    expect(await again).toEqual(taken)
    const renamed = webhooks((w) =>
      Effect.flip(w.update({ id: second.id, change: { name: 'taken' }, actor, versions: undefined })),
    )
    expect(await renamed).toEqual(taken)
    await rules((r) => r.create({ values: ruleValues('rule taken', first.id, { enabled: false }), actor }))
    const rule = rules((r) =>
      Effect.flip(r.create({ values: ruleValues('rule taken', first.id, { enabled: false }), actor })),
    )
    expect(await rule).toEqual(new EventNameTaken({ name: 'rule taken' }))
  })

  test('keeps a rule with its webhook, and removes it with that', async () => {
    const webhook = await newWebhook('of rules')
    const values = ruleValues('whole rule', webhook.id, {
      description: 'all of it',
      conditions: { and: [{ attr: 'name', value: 'tank' }] },
      action_data: { site: 'berlin' },
    })
    const made = await rules((r) => r.create({ values, actor }))
    expect(made).toEqual({
      id: expect.any(Number),
      ...values,
      webhookName: 'of rules',
      created: expect.stringMatching(/Z$/),
      last_updated: made.created,
    })
    const off = await rules((r) =>
      r.update({ id: made.id, change: { enabled: false, conditions: null }, actor, versions: undefined }),
    )
    expect(Option.getOrThrow(off)).toMatchObject({ enabled: false, conditions: null, action_data: { site: 'berlin' } })
    const found = async (request: object) =>
      (await rules((r) => r.list({ ...everything, webhookIds: [webhook.id], ...request }))).count
    expect([await found({}), await found({ enabled: true }), await found({ enabled: false })]).toEqual([1, 0, 1])
    expect(await webhooks((w) => w.remove({ id: webhook.id, actor, versions: undefined }))).toBe(true)
    expect(await rules((r) => r.get({ id: made.id }))).toEqual(Option.none())
    expect(await webhooks((w) => w.remove({ id: webhook.id, actor, versions: undefined }))).toBe(false)
    expect(await rules((r) => r.remove({ id: made.id, actor, versions: undefined }))).toBe(false)
  })

  test('refuses a rule of a webhook that is not there', async () => {
    const values = ruleValues('of nothing', 1_000_000)
    expect(await rules((r) => Effect.flip(r.create({ values, actor })))).toEqual(new WebhookNotFound({ id: 1_000_000 }))
  })
}
