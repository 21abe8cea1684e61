import { mostOpenDeliveries } from '@netbox-pbs/core'
import { Deliveries, EventRules, Retention, Webhooks } from '@netbox-pbs/core/ports'
import { deliveriesContract, ruleValues, webhooksContract, webhookValues, writesOneByOne } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime, Redacted } from 'effect'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { deliveriesLayerWith } from '../src/events/deliveries.ts'
import { eventRulesLayer } from '../src/events/event-rules.ts'
import { webhooksLayer } from '../src/events/webhooks.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { engines } from './engines.ts'
import { boxWith } from './secret-boxes.ts'

/** Failed attempts are repeated at once, and given up after the third. */
const pause = (attempts: number) => (attempts >= 3 ? null : 0)
const actor = { user: 'ada', requestId: '5c0f2f7e-0000-4000-8000-000000000004' }

describe.each(engines)('events on $engine', ({ engine, migrated }) => {
  const layers = Layer.mergeAll(inventoryLayer, webhooksLayer, eventRulesLayer, deliveriesLayerWith({ pause })).pipe(
    Layer.provideMerge(migrated),
    Layer.provide(boxWith(3)),
  )
  const runtime = ManagedRuntime.make(layers)
  const run = <A, E>(effect: Effect.Effect<A, E, Layer.Layer.Success<typeof layers>>) => runtime.runPromise(effect)
  afterAll(() => runtime.dispose())

  describe('Webhooks and EventRules', () => webhooksContract({ run }))
  describe('Deliveries', () => deliveriesContract({ run }))

  const rows = <A>(text: string): Promise<ReadonlyArray<A>> =>
    run(
      Effect.flatMap(Database, (database) =>
        database.query('testing', async (db) => (await sql.raw<A>(text).execute(db)).rows),
      ),
    )
  const followAll = async () => {
    while (await run(Effect.flatMap(Deliveries, (deliveries) => deliveries.follow())));
  }
  let stores = 0
  let server: number
  beforeAll(async () => {
    const row = { name: 'followed', host: 'h', token_id: 'a@pbs!b' }
    const made = run(Effect.flatMap(writesOneByOne, (writes) => writes.create({ model: 'server', rows: [row], actor })))
    server = (await made)[0] ?? 0
  })
  /** A webhook that is sent the updates of a datastore of its own. */
  const followed = async (change: object = {}) => {
    stores += 1
    const name = `followed-${stores}`
    const [store = 0] = await run(
      Effect.flatMap(writesOneByOne, (writes) =>
        writes.create({ model: 'datastore', rows: [{ server, name, path: '/' }], actor }),
      ),
    )
    const webhook = await run(
      Effect.flatMap(Webhooks, (webhooks) =>
        webhooks.create({ values: webhookValues(name), secret: Redacted.make('hush'), actor }),
      ),
    )
    const values = ruleValues(name, webhook.id, { conditions: { attr: 'name', value: name }, ...change })
    await run(Effect.flatMap(EventRules, (rules) => rules.create({ values, actor })))
    const made = () =>
      rows<{ title: string }>(`select title from deliveries where webhook_id = ${webhook.id} order by id`)
    return { store, webhook: webhook.id, made }
  }
  const edit = (id: number, comment: string, request = crypto.randomUUID()) =>
    run(
      Effect.flatMap(writesOneByOne, (writes) =>
        writes.update({ model: 'datastore', id, values: { comment }, actor: { user: 'ada', requestId: request } }),
      ),
    )
  const entry = (store: number) =>
    `insert into changes (action, model, object_id, title, server_id, before, after, request_id, user_name)
     values ('update', 'datastore', ${store}, 'by sql', ${server}, '{}', '{}', gen_random_uuid(), 'ada')`

  test('keeps the secret sealed, and out of the change log', async () => {
    await followed()
    expect(JSON.stringify(await rows('select * from webhooks'))).not.toContain('hush')
    expect(JSON.stringify(await rows('select * from changes'))).not.toContain('hush')
  })

  test('tells nothing of what was rolled back', async () => {
    const { store, made } = await followed()
    const rolledBack = Effect.flatMap(Database, (database) =>
      database.transaction('testing', (trx) => sql.raw(entry(store)).execute(trx), { commit: false }),
    )
    await run(rolledBack)
    await edit(store, 'committed')
    await followAll()
    expect(await made()).toEqual([{ title: `followed/followed-${stores}` }])
  })

  // The embedded engine has one session, in which no other transaction runs.
  test.runIf(engine === 'pg')('waits for a transaction that was first, and keeps the order', async () => {
    const { store, made } = await followed()
    let end = () => {}
    const held = new Promise<void>((resolve) => {
      end = resolve
    })
    let begun = () => {}
    const hasBegun = new Promise<void>((resolve) => {
      begun = resolve
    })
    const slow = run(
      Effect.flatMap(Database, (database) =>
        database.transaction('testing', async (trx) => {
          await sql.raw(entry(store)).execute(trx)
          begun()
          await held
        }),
      ),
    )
    await hasBegun
    await edit(store, 'committed first')
    await followAll()
    expect(await made()).toEqual([])
    end()
    await slow
    await followAll()
    expect(await made()).toEqual([{ title: 'by sql' }, { title: `followed/followed-${stores}` }])
  })

  test('leaves events in the log while a webhook has as many open deliveries as it may have', async () => {
    const { store, webhook, made } = await followed()
    await rows(`insert into deliveries (webhook_id, rule_name, event_type, object_type, title, line, body)
      select ${webhook}, 'r', 'object_updated', 't', 'waits', 'no line', '{}' from generate_series(1, ${mostOpenDeliveries})`)
    await edit(store, 'later')
    await followAll()
    expect(await made()).toHaveLength(mostOpenDeliveries)
    await rows(`update deliveries set state = 'cancelled', ended = now(), next_attempt = null
      where id = (select min(id) from deliveries where webhook_id = ${webhook})`)
    await followAll()
    expect(await made()).toHaveLength(mostOpenDeliveries + 1)
    await rows(`delete from webhooks where id = ${webhook}`)
  })

  test('passes over a long log that no rule is about', async () => {
    const { store, webhook, made } = await followed()
    await rows(`insert into changes (action, model, object_id, title, server_id, before, after, run_id, user_name)
      select 'update', 'snapshot', n, 'other', ${server}, '{}', '{}', 1, '' from generate_series(1, 60000) n`)
    await edit(store, 'at the end')
    await followAll()
    expect(await made()).toHaveLength(1)
    const [reached] = await rows<{ id: number }>('select max(id) as id from changes')
    const positions = await rows<{ position: number }>(`select position from webhooks where id = ${webhook}`)
    expect(positions).toEqual([{ position: reached?.id }])
  })

  test('tells of a run, a branch, held deletions and findings, once they are so', async () => {
    const { webhook } = await followed({
      object_types: ['netbox_pbs.syncrun', 'netbox_branching.branch', 'netbox_pbs.helddeletions', 'netbox_pbs.finding'],
      event_types: [
        'job_completed',
        'job_failed',
        'branch_ready',
        'deletions_held',
        'finding_opened',
        'finding_closed',
      ],
      conditions: null,
    })
    const told = async () => {
      await followAll()
      const bodies = await rows<{ body: string }>(
        `select body from deliveries where webhook_id = ${webhook} order by id`,
      )
      return bodies.map(({ body }) => JSON.parse(body))
    }
    await rows(`insert into runs (id, resources, trigger, started_by) overriding system value
      values (1001, '["servers"]', 'manual', 'ada'), (1002, '["servers"]', 'schedule', '')`)
    await rows(`update runs set status = 'completed', completed = '2026-05-01T02:00:00Z' where id = 1001`)
    await rows(`update runs set status = 'cancelled', completed = now() where id = 1002`)
    await rows(`update runs set cancel_requested = true where id = 1001`)
    await rows(
      `insert into branches (id, schema_id, name, kind, user_name) overriding system value values (1003, 'abcdefgh', 'b', 'operator', 'ada')`,
    )
    await rows(`update branches set status = 'ready' where id = 1003`)
    await rows(`update branches set description = 'same' where id = 1003`)
    await rows(`insert into held_deletions (id, server_id, resource, datastore_name, reason, since, run_id) overriding system value
      values (1004, ${server}, 'namespaces', 'tank', 'emptied', now(), 1001)`)
    await rows(`update held_deletions set kept = true where id = 1004`)
    await rows(`update held_deletions set revision = 2 where id = 1004`)
    await rows(`insert into findings (id, kind, severity, model, object_id, title, server_id, server_name, key, count, sentence, step, opened) overriding system value
      values (1005, 'server_unreachable', 'critical', 'server', ${server}, 'followed', ${server}, 'followed', 'k', 1, 'It is down', 'Start it', '2026-05-01T02:00:00Z')`)
    await rows(`update findings set sentence = 'It is still down', snoozed_until = now() where id = 1005`)
    await rows(`update findings set closed = '2026-05-01T03:00:00Z', closed_by = 'It answered.' where id = 1005`)
    await rows(`update findings set closed_by = 'It answered again.' where id = 1005`)
    expect(await told()).toMatchObject([
      {
        event: 'job_ended',
        object_type: 'netbox_pbs.syncrun',
        username: 'ada',
        request_id: null,
        data: {
          id: 1001,
          url: '/api/plugins/pbs/sync-runs/1001/',
          display: 'Run 1001',
          status: { value: 'completed', label: 'Completed' },
          completed: '2026-05-01T02:00:00Z',
        },
      },
      { event: 'job_ended', username: '', data: { id: 1002, status: { value: 'cancelled' } } },
      { event: 'branch_ready', username: 'ada', data: { id: 1003, schema_id: 'abcdefgh', status: { value: 'ready' } } },
      {
        event: 'deletions_held',
        data: {
          id: 1004,
          url: '/api/plugins/pbs/sync-runs/1001/held/1004/',
          scope: { resource: 'namespaces', server: 'followed', datastore: 'tank' },
          reason: { code: 'emptied' },
          revision: 1,
        },
      },
      { event: 'deletions_held', data: { id: 1004, revision: 2 } },
      {
        event: 'finding_opened',
        object_type: 'netbox_pbs.finding',
        data: {
          id: 1005,
          url: '/api/plugins/pbs/findings/1005/',
          display: 'Server unreachable: followed',
          kind: { value: 'server_unreachable', label: 'Server unreachable' },
          severity: { value: 'critical', label: 'Critical' },
          state: { value: 'open', label: 'Open' },
          server: { id: server, name: 'followed' },
          sentence: 'It is down',
          opened: '2026-05-01T02:00:00Z',
          closed: null,
        },
      },
      {
        event: 'finding_closed',
        data: { id: 1005, state: { value: 'closed' }, closed: '2026-05-01T03:00:00Z', closed_by: 'It answered.' },
      },
    ])
    expect(await rows('select * from raised_events')).toEqual([])
    await rows(`delete from event_rules where webhook_id = ${webhook}`)
    await rows(`update held_deletions set revision = 3 where id = 1004`)
    expect(await rows('select * from raised_events')).toEqual([])
  })

  test('removes old deliveries that have ended', async () => {
    const { webhook } = await followed()
    const delivery = (state: string, ended: string) =>
      `(${webhook}, 'r', 'object_updated', 't', '${state}', 'old', '{}', '${state}', ${ended}, ${state === 'pending' ? 'now()' : 'null'})`
    await rows(`insert into deliveries (webhook_id, rule_name, event_type, object_type, title, line, body, state, ended, next_attempt)
      values ${[delivery('pending', 'null'), delivery('failed', "'2026-04-01'"), delivery('delivered', "'2026-06-01'")].join(', ')}`)
    const pruned = Effect.flatMap(Retention, (retention) =>
      retention.prune({ what: 'deliveries', before: '2026-05-01T00:00:00Z' }),
    )
    expect(await run(pruned)).toEqual({ removed: 1, more: false })
    expect(await rows(`select state from deliveries where line = 'old' order by id`)).toEqual([
      { state: 'pending' },
      { state: 'delivered' },
    ])
  })
})
