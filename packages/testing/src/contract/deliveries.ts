import { randomUUID } from 'node:crypto'
import type { Delivery, EventRuleValues } from '@netbox-pbs/core'
import {
  type AttemptOutcome,
  Deliveries,
  type DueDelivery,
  EventRules,
  type InventoryWrites,
  Webhooks,
} from '@netbox-pbs/core/ports'
import { Effect, Option, Redacted } from 'effect'
import { expect, test, vi } from 'vitest'
import { writesOneByOne } from './one-by-one.ts'
import { ruleValues, webhookValues } from './webhooks.ts'

type Ports = Deliveries | EventRules | InventoryWrites | Webhooks

/** Deliveries under test: a failed attempt is repeated at once, and given up after the third. */
export interface DeliveriesUnderTest {
  readonly run: <A, E>(effect: Effect.Effect<A, E, Ports>) => Promise<A>
}

const delivered: AttemptOutcome = { delivered: true, final: false, status: 204, response: '', error: '' }
const refused: AttemptOutcome = {
  ...{ delivered: false, final: false, status: 503 },
  response: 'busy',
  error: 'The receiver answered with status 503.',
}

/** The contract of `Deliveries`. */
export const deliveriesContract = ({ run }: DeliveriesUnderTest): void => {
  const deliveries = <A, E>(use: (deliveries: typeof Deliveries.Service) => Effect.Effect<A, E>) =>
    run(Effect.flatMap(Deliveries, use))
  const newActor = () => ({ user: 'ada', requestId: randomUUID() })
  const actor = newActor()

  /** A webhook of its own with one rule about the datastores of a server. */
  const newRule = async (name: string, change: Partial<EventRuleValues> = {}, secret = '') => {
    const webhook = await run(
      Effect.flatMap(Webhooks, (webhooks) =>
        webhooks.create({ values: webhookValues(name), secret: Redacted.make(secret), actor }),
      ),
    )
    const values = ruleValues(name, webhook.id, {
      event_types: ['object_created', 'object_updated', 'object_deleted'],
      conditions: { attr: 'server.name', value: name },
      ...change,
    })
    await run(Effect.flatMap(EventRules, (rules) => rules.create({ values, actor })))
    return webhook.id
  }
  const newServer = async (name: string) => {
    const row = { name, host: 'h', token_id: 'a@pbs!b' }
    const made = run(
      Effect.flatMap(writesOneByOne, (writes) => writes.create({ model: 'server', rows: [row], actor: newActor() })),
    )
    return (await made)[0] ?? 0
  }
  const newStore = async (server: number, name: string, by = newActor()) => {
    const made = run(
      Effect.flatMap(writesOneByOne, (writes) =>
        writes.create({ model: 'datastore', rows: [{ server, name, path: `/${name}` }], actor: by }),
      ),
    )
    return (await made)[0] ?? 0
  }
  const edit = (id: number, comment: string, by = newActor()) =>
    run(
      Effect.flatMap(writesOneByOne, (writes) =>
        writes.update({ model: 'datastore', id, values: { comment }, actor: by }),
      ),
    )
  const removeStore = (id: number, by = newActor()) =>
    run(Effect.flatMap(writesOneByOne, (writes) => writes.remove({ model: 'datastore', id, actor: by })))

  const followAll = async () => {
    while (await deliveries((d) => d.follow()));
  }
  /** Follows, and sends until nothing is due; what was sent, in order. */
  const sendAll = async (outcomeOf: (due: DueDelivery) => AttemptOutcome = () => delivered) => {
    await followAll()
    const sent: Array<DueDelivery> = []
    const send = (due: DueDelivery) =>
      Effect.sync(() => {
        sent.push(due)
        return outcomeOf(due)
      })
    while (await deliveries((d) => d.deliver(send)));
    return sent
  }
  const payloads = (sent: ReadonlyArray<DueDelivery>) => sent.map(({ body }) => JSON.parse(body))
  const listed = async (webhookId: number): Promise<ReadonlyArray<Delivery>> =>
    (await deliveries((d) => d.list({ filter: { webhookIds: [webhookId] }, limit: 100, offset: 0 }))).rows

  test('tells of a creation, an update and a deletion, as the rows were then', async () => {
    const server = await newServer('told')
    const webhook = await newRule('told', { action_data: { site: 'berlin', name: 'loses' } }, 'hush')
    const by = [newActor(), newActor(), newActor()] as const
    const id = await newStore(server, 'tank', by[0])
    await edit(id, 'big', by[1])
    await removeStore(id, by[2])
    const sent = await sendAll()
    const brief = { id: server, url: `/api/plugins/pbs/servers/${server}/`, display: 'told', name: 'told' }
    const stored = (comment: string) => expect.objectContaining({ server, name: 'tank', path: '/tank', comment })
    const data = (comment: string) =>
      expect.objectContaining({
        id,
        url: `/api/plugins/pbs/datastores/${id}/`,
        display_url: `/plugins/pbs/datastores/${id}/`,
        display: 'tank (told)',
        server: brief,
        name: 'tank',
        comment,
        tags: [],
        custom_fields: {},
        site: 'berlin',
      })
    const of = (nth: 0 | 1 | 2) => ({
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00$/),
      object_type: 'netbox_pbs.pbsdatastore',
      username: 'ada',
      request_id: by[nth].requestId,
      request: { id: by[nth].requestId, user: 'ada' },
    })
    expect(payloads(sent)).toEqual([
      { event: 'created', ...of(0), data: data(''), snapshots: { prechange: null, postchange: stored('') } },
      {
        event: 'updated',
        ...of(1),
        data: data('big'),
        snapshots: { prechange: stored(''), postchange: stored('big') },
      },
      { event: 'deleted', ...of(2), data: data('big'), snapshots: { prechange: stored('big'), postchange: null } },
    ])
    expect(sent[0]).toMatchObject({ attempt: 1, method: 'POST', url: 'http://127.0.0.1:9/', ssl_verification: true })
    expect(sent.map(({ secret }) => Option.map(secret, Redacted.value))).toEqual(Array(3).fill(Option.some('hush')))
    expect(await listed(webhook)).toMatchObject(
      ['object_deleted', 'object_updated', 'object_created'].map((event_type) => ({
        ...{ event_type, state: 'delivered', object_id: id, title: 'told/tank', attempts: 1, next_attempt: null },
        ...{ response_status: 204, error: '' },
      })),
    )
  })

  test('sends of a request on one object what it came to', async () => {
    const server = await newServer('coalesced')
    const webhook = await newRule('coalesced')
    const [first, second] = [newActor(), newActor()]
    const a = await newStore(server, 'a', first)
    await edit(a, 'x', first)
    await edit(a, 'y', second)
    await removeStore(a, second)
    expect(payloads(await sendAll())).toMatchObject([
      { event: 'created', data: { comment: 'x' }, snapshots: { prechange: null, postchange: { comment: 'x' } } },
      { event: 'deleted', snapshots: { prechange: { comment: 'x' }, postchange: null } },
    ])
    expect(await listed(webhook)).toHaveLength(2)
  })

  test('tells nothing of what was before a rule, and of what no rule is about', async () => {
    const server = await newServer('quiet')
    const id = await newStore(server, 'quiet')
    await edit(id, 'before')
    const about = (value: string) => ({
      and: [
        { attr: 'server.name', value: 'quiet' },
        { attr: 'comment', value },
      ],
    })
    await newRule('not enabled', { enabled: false, conditions: about('after') })
    await newRule('other type', { object_types: ['netbox_pbs.pbsjob'], conditions: about('after') })
    await newRule('other event', { event_types: ['object_deleted'], conditions: about('after') })
    await newRule('other value', { conditions: about('before') })
    const webhook = await newRule('this value', { conditions: about('after') })
    await edit(id, 'after')
    expect(payloads(await sendAll())).toMatchObject([{ event: 'updated', data: { comment: 'after' } }])
    expect(await listed(webhook)).toMatchObject([{ rule: { name: 'this value' } }])
  })

  test('tells nothing of what happened while a rule was not enabled', async () => {
    const server = await newServer('paused')
    const id = await newStore(server, 'paused')
    const webhook = await newRule('paused')
    const rules = await run(
      Effect.flatMap(EventRules, (port) => port.list({ webhookIds: [webhook], limit: 1, offset: 0 })),
    )
    const enable = (enabled: boolean) =>
      run(
        Effect.flatMap(EventRules, (port) =>
          port.update({ id: rules.rows[0]?.id ?? 0, change: { enabled }, actor, versions: undefined }),
        ),
      )
    await enable(false)
    await edit(id, 'unheard')
    await enable(true)
    await edit(id, 'heard')
    expect(payloads(await sendAll())).toMatchObject([
      { data: { comment: 'heard' }, snapshots: { prechange: { comment: 'unheard' } } },
    ])
  })

  test('sends of one object the oldest first, and gives up after the last attempt', async () => {
    const server = await newServer('ordered')
    const [a, b] = [await newStore(server, 'a'), await newStore(server, 'b')]
    const webhook = await newRule('ordered')
    await edit(a, '1')
    await edit(a, '2')
    await edit(b, '3')
    const sent = await sendAll((due) => (JSON.parse(due.body).data.comment === '1' ? refused : delivered))
    const comments = payloads(sent).map(({ data }) => data.comment)
    expect(comments.filter((comment) => comment !== '3')).toEqual(['1', '1', '1', '2'])
    expect(comments.filter((comment) => comment === '3')).toEqual(['3'])
    const rows = await listed(webhook)
    expect(rows).toMatchObject([
      { object_id: b, state: 'delivered', attempts: 1 },
      { object_id: a, state: 'delivered', attempts: 1 },
      { object_id: a, state: 'failed', attempts: 3, response_status: 503, error: refused.error, next_attempt: null },
    ])
    const detail = await deliveries((d) => d.get({ id: rows[2]?.id ?? 0 }))
    expect(Option.getOrThrow(detail)).toMatchObject({
      response_body: 'busy',
      request: { method: 'POST', url: 'http://127.0.0.1:9/', content_type: 'application/json' },
    })
  })

  test('does not repeat an attempt that was the last', async () => {
    const server = await newServer('final')
    const id = await newStore(server, 'final')
    const webhook = await newRule('final')
    await edit(id, 'x')
    await sendAll(() => ({ ...refused, final: true, status: null, error: 'private' }))
    expect(await listed(webhook)).toMatchObject([
      { state: 'failed', attempts: 1, response_status: null, error: 'private' },
    ])
  })

  test('is retried and cancelled by users, as its state allows', async () => {
    const server = await newServer('decided')
    const id = await newStore(server, 'decided')
    const webhook = await newRule('decided')
    const only = async () => (await listed(webhook))[0]?.id ?? 0
    await edit(id, '1')
    await followAll()
    const decide = (action: 'retry' | 'cancel', one: number) => deliveries((d) => d[action]({ id: one, actor }))
    expect(Option.getOrThrow(await decide('cancel', await only()))).toMatchObject({
      state: 'cancelled',
      next_attempt: null,
    })
    expect(await decide('cancel', await only())).toEqual(Option.none())
    expect(await sendAll()).toEqual([])
    expect(await listed(webhook)).toMatchObject([{ state: 'cancelled', attempts: 0 }])
    expect(Option.getOrThrow(await decide('retry', await only()))).toMatchObject({ state: 'pending', ended: null })
    await sendAll(() => refused)
    expect(await listed(webhook)).toMatchObject([{ state: 'failed', attempts: 3 }])
    await decide('retry', await only())
    await sendAll()
    expect(await listed(webhook)).toMatchObject([{ state: 'delivered', attempts: 4 }])
    expect(await decide('retry', await only())).toEqual(Option.none())
    expect(await decide('cancel', 1_000_000)).toEqual(Option.none())
  })

  test('makes one delivery of an event, however many workers follow', async () => {
    const server = await newServer('crowd')
    const ids = [await newStore(server, 'a'), await newStore(server, 'b')]
    const webhook = await newRule('crowd')
    for (const id of ids) for (const comment of ['1', '2', '3']) await edit(id, comment)
    await deliveries((d) =>
      Effect.all(
        Array.from({ length: 6 }, () => d.follow()),
        { concurrency: 'unbounded' },
      ),
    )
    await followAll()
    expect(await listed(webhook)).toHaveLength(6)
    const sent: Array<DueDelivery> = []
    const send = (due: DueDelivery) =>
      Effect.as(
        Effect.delay(
          Effect.sync(() => sent.push(due)),
          5,
        ),
        delivered,
      )
    const work = (d: typeof Deliveries.Service) => Effect.repeat(d.deliver(send), { while: (any) => any })
    await deliveries((d) => Effect.all([work(d), work(d), work(d)], { concurrency: 'unbounded' }))
    const of = (id: number) =>
      payloads(sent)
        .filter(({ data }) => data.id === id)
        .map(({ data }) => data.comment)
    expect(ids.map(of)).toEqual([
      ['1', '2', '3'],
      ['1', '2', '3'],
    ])
  })

  test('is sent again, under the same UUID, when its worker stopped in between', async () => {
    const server = await newServer('stopped')
    const id = await newStore(server, 'stopped')
    const webhook = await newRule('stopped')
    await edit(id, '1')
    await followAll()
    await deliveries((d) => Effect.exit(d.deliver(() => Effect.interrupt)))
    const [open] = await listed(webhook)
    expect(open).toMatchObject({ state: 'pending', attempts: 1 })
    const again: Array<DueDelivery> = []
    await vi.waitFor(
      async () => {
        again.push(...(await sendAll()))
        expect(again).toMatchObject([{ attempt: 2, uuid: open?.uuid }])
      },
      { timeout: 20_000, interval: 100 },
    )
    expect(await listed(webhook)).toMatchObject([{ state: 'delivered', attempts: 2 }])
  })
}
