import { type ApiToken, type ApiTokenChange, ApiTokens, Sessions, TokenTaken } from '@netbox-pbs/core/ports'
import { Effect, Layer, ManagedRuntime, Option } from 'effect'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { accountsLayer } from '../src/accounts/accounts-layer.ts'
import { Database } from '../src/database/database.ts'
import { engines } from './engines.ts'

describe.each(engines)('accounts on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(accountsLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, ApiTokens | Sessions | Database>) => runtime.runPromise(effect)
  const tokens = <A, E>(use: (tokens: typeof ApiTokens.Service) => Effect.Effect<A, E>) =>
    run(Effect.flatMap(ApiTokens, use))
  const sessions = <A, E>(use: (sessions: typeof Sessions.Service) => Effect.Effect<A, E>) =>
    run(Effect.flatMap(Sessions, use))
  const statement = (text: string) =>
    run(Effect.flatMap(Database, (database) => database.query('testing', (db) => sql.raw(text).execute(db))))

  afterAll(() => runtime.dispose())

  const create = (key: string, username: string): Promise<ApiToken> =>
    tokens((t) =>
      t.create({
        key,
        secretHash: `hash of ${key}`,
        username,
        description: 'for scripts',
        write_enabled: true,
        expires: '2027-01-01T00:00:00Z',
      }),
    )

  describe('ApiTokens', () => {
    test('stores a token and makes its user', async () => {
      const token = await create('abc', 'ada')
      expect(token).toEqual({
        id: expect.any(Number),
        version: 2,
        key: 'abc',
        user: { id: expect.any(Number), username: 'ada' },
        description: 'for scripts',
        write_enabled: true,
        enabled: true,
        allowed_ips: [],
        expires: '2027-01-01T00:00:00Z',
        created: expect.stringMatching(/Z$/),
        last_used: null,
      })
      expect(await tokens((t) => t.find({ key: 'abc' }))).toEqual(
        Option.some({
          ...token,
          secretHash: 'hash of abc',
          rights: { is_active: true, role: 'admin', servers: null },
        }),
      )
      expect(await tokens((t) => t.get({ id: token.id }))).toEqual(Option.some(token))
      expect(await tokens((t) => t.user({ id: token.user.id }))).toEqual(Option.some(token.user))
      expect(await tokens((t) => t.user({ id: null, username: 'ada' }))).toEqual(Option.some(token.user))
      expect(await tokens((t) => t.user({ id: token.user.id, username: 'eve' }))).toEqual(Option.none())
      expect(await tokens((t) => t.find({ key: 'ABC' }))).toEqual(Option.none())
      expect(await tokens((t) => t.get({ id: 999_999 }))).toEqual(Option.none())
      expect(await tokens((t) => t.user({ id: 999_999 }))).toEqual(Option.none())
    })

    test('counts the users that may write, and not those whose tokens have ended', async () => {
      const at = (now: string) => tokens((t) => t.writers({ now }))
      const before = [await at('2026-06-01T00:00:00Z'), await at('2027-01-01T00:00:00Z')]
      await create('w1', 'hedy')
      await create('w2', 'hedy')
      expect(await at('2026-06-01T00:00:00Z')).toBe((before[0] ?? 0) + 1)
      expect(await at('2027-01-01T00:00:00Z')).toBe(before[1])
      await statement("update api_tokens set write_enabled = false where key in ('w1', 'w2')")
      expect(await at('2026-06-01T00:00:00Z')).toBe(before[0])
    })

    test('gives tokens made at once for one new name to one user', async () => {
      const made = await Promise.all(['k1', 'k2', 'k3', 'k4'].map((key) => create(key, 'grace')))
      expect(new Set(made.map((token) => token.user.id)).size).toBe(1)
      expect(new Set(made.map((token) => token.id)).size).toBe(4)
    })

    test('lists the newest first, a page at a time, or by some of their fields', async () => {
      const [l1, l2] = [await create('l1', 'linus'), await create('l2', 'linus')]
      const all = await tokens((t) => t.list({ limit: 100, offset: 0 }))
      expect(all.count).toBe(all.rows.length)
      expect(all.rows.slice(0, 2)).toEqual([l2, l1])
      expect(await tokens((t) => t.list({ limit: 1, offset: 1 }))).toEqual({ count: all.count, rows: [l1] })
      const page = { limit: 10, offset: 0 }
      const by = (field: string, ...values: ReadonlyArray<string | number | boolean>) =>
        ({ where: [{ field, lookup: 'exact', values }] }) as const
      expect(await tokens((t) => t.list({ ...page, ...by('key', 'l1') }))).toEqual({ count: 1, rows: [l1] })
      expect(await tokens((t) => t.list({ ...page, ...by('key', 'no') }))).toEqual({ count: 0, rows: [] })
      expect(await tokens((t) => t.list({ ...page, ids: [l1.id, 999_999] }))).toEqual({ count: 1, rows: [l1] })
      expect(await tokens((t) => t.list({ ...page, ...by('user', l1.user.id), ids: [l2.id] }))).toEqual({
        count: 1,
        rows: [l2],
      })
      expect((await tokens((t) => t.list({ ...page, userIds: [l1.user.id] }))).count).toBe(2)
      expect((await tokens((t) => t.list({ ...page, ...by('enabled', false), userIds: [l1.user.id] }))).count).toBe(0)
    })

    test('makes many, all or none', async () => {
      const token = { secretHash: 'h', username: 'mary', description: '', write_enabled: true, expires: null }
      const made = await tokens((t) =>
        t.createAll({
          tokens: [
            { ...token, key: 'm1', version: 1, enabled: false, allowed_ips: ['10.0.0.0/8'] },
            { ...token, key: 'm2' },
          ],
        }),
      )
      expect(made).toMatchObject([
        { key: 'm1', version: 1, enabled: false, allowed_ips: ['10.0.0.0/8'] },
        { key: 'm2', version: 2, enabled: true, allowed_ips: [] },
      ])
      const again = tokens((t) =>
        Effect.flip(
          t.createAll({
            tokens: [
              { ...token, key: 'm3' },
              { ...token, key: 'm2' },
            ],
          }),
        ),
      )
      expect(await again).toEqual(new TokenTaken({ at: 1 }))
      expect(await tokens((t) => t.find({ key: 'm3' }))).toEqual(Option.none())
      expect(
        (
          await tokens((t) =>
            t.list({
              ...{ limit: 9, offset: 0 },
              where: [{ field: 'key', lookup: 'exact', values: ['m1'] }],
            }),
          )
        ).count,
      ).toBe(0)
    })

    test('changes what is given, and logs what differs', async () => {
      const made = await create('c1', 'carol')
      await statement('delete from changes')
      const actor = { user: 'ada', requestId: '5c0f2f7e-0000-4000-8000-000000000003' }
      const change = { enabled: false, expires: null, allowed_ips: ['::1/128'] }
      const changed = await tokens((t) =>
        t.update({
          changes: [
            { id: made.id, change },
            { id: 999_999, change },
          ],
          actor,
        }),
      )
      expect(changed).toEqual([{ ...made, ...change }])
      expect(await tokens((t) => t.update({ changes: [{ id: made.id, change }], actor }))).toEqual(changed)
      expect((await statement('select action, before, after from changes')).rows).toEqual([
        {
          action: 'update',
          before: { enabled: true, expires: '2027-01-01T00:00:00Z', allowed_ips: [] },
          after: change,
        },
      ])
    })

    test('removes a token once and keeps its user', async () => {
      const { id, user } = await create('gone', 'rosa')
      expect(await tokens((t) => t.remove({ ids: [id] }))).toBe(1)
      expect(await tokens((t) => t.remove({ ids: [id] }))).toBe(0)
      expect(await tokens((t) => t.find({ key: 'gone' }))).toEqual(Option.none())
      expect(await tokens((t) => t.user({ id: user.id }))).toEqual(Option.some(user))
    })

    test('are told by the change log when they are made and removed, without their secret', async () => {
      await statement('delete from changes')
      const actor = { user: 'ada', requestId: '5c0f2f7e-0000-4000-8000-000000000002' }
      const about = { username: 'kay', description: 'for scripts', write_enabled: true, expires: null }
      const { id } = await tokens((t) => t.create({ key: 'told', secretHash: 'hash of told', ...about, actor }))
      await create('started', 'kay')
      await tokens((t) => t.remove({ ids: [id], actor }))
      await tokens((t) => t.remove({ ids: [id], actor }))
      const { rows } = await statement(
        'select action, object_id, title, user_name, before, after from changes order by id',
      )
      const values = {
        version: 2,
        key: 'told',
        user: 'kay',
        description: 'for scripts',
        enabled: true,
        write_enabled: true,
        expires: null,
        allowed_ips: [],
      }
      const entry = { object_id: id, title: 'told (kay)', user_name: 'ada' }
      expect(rows).toEqual([
        { ...entry, action: 'create', before: null, after: values },
        {
          action: 'create',
          object_id: expect.any(Number),
          title: 'started (kay)',
          user_name: 'system',
          before: null,
          after: { ...values, key: 'started', expires: '2027-01-01T00:00:00Z' },
        },
        { ...entry, action: 'delete', before: values, after: null },
      ])
    })

    test('notes a use at most once a minute', async () => {
      const { id } = await create('busy', 'ada')
      const lastUsed = async () => Option.getOrThrow(await tokens((t) => t.get({ id }))).last_used
      await tokens((t) => t.used({ id }))
      const first = await lastUsed()
      expect(first).not.toBeNull()
      await tokens((t) => t.used({ id }))
      expect(await lastUsed()).toBe(first)
      await statement(`update api_tokens set last_used = now() - interval '61 seconds' where id = ${id}`)
      const old = await lastUsed()
      await tokens((t) => t.used({ id }))
      expect(await lastUsed()).not.toBe(old)
    })
  })

  describe('Sessions', () => {
    const expires = '2026-05-01T12:00:00Z'
    const [before, after] = ['2026-05-01T11:59:59Z', expires]

    test('finds a session until it expires or is ended', async () => {
      const { user } = await create('s', 'ada')
      await sessions((s) => s.create({ idHash: 'h1', userId: user.id, write_enabled: false, expires, tokenId: null }))
      expect(await sessions((s) => s.find({ idHash: 'h1', now: before }))).toEqual(
        Option.some({ user: { ...user, role: 'admin', servers: null }, write_enabled: false, expires }),
      )
      expect(await sessions((s) => s.find({ idHash: 'h1', now: after }))).toEqual(Option.none())
      expect(await sessions((s) => s.find({ idHash: 'h2', now: before }))).toEqual(Option.none())
      await sessions((s) => s.remove({ idHash: 'h1' }))
      expect(await sessions((s) => s.find({ idHash: 'h1', now: before }))).toEqual(Option.none())
    })

    test('goes with the token that opened it', async () => {
      const { id, user } = await create('gone', 'ada')
      const session = { userId: user.id, write_enabled: true, expires }
      await sessions((s) => s.create({ ...session, idHash: 'by-token', tokenId: id }))
      await sessions((s) => s.create({ ...session, idHash: 'by-link', tokenId: null }))
      await tokens((t) => t.remove({ ids: [id] }))
      expect(await sessions((s) => s.find({ idHash: 'by-token', now: before }))).toEqual(Option.none())
      expect(Option.isSome(await sessions((s) => s.find({ idHash: 'by-link', now: before })))).toBe(true)
    })

    test('is what its token is now: not found while it is disabled or over, read-only with it', async () => {
      const { id, user } = await create('switched', 'ada')
      await sessions((s) => s.create({ idHash: 'h3', userId: user.id, write_enabled: true, expires, tokenId: id }))
      const change = (values: ApiTokenChange) => tokens((t) => t.update({ changes: [{ id, change: values }] }))
      const writes = async () =>
        Option.match(await sessions((s) => s.find({ idHash: 'h3', now: before })), {
          onNone: () => null,
          onSome: (session) => session.write_enabled,
        })
      expect(await writes()).toBe(true)
      await change({ write_enabled: false })
      expect(await writes()).toBe(false)
      await change({ enabled: false })
      expect(await writes()).toBeNull()
      await change({ enabled: true, expires: before })
      expect(await writes()).toBeNull()
      await change({ expires: after, write_enabled: true })
      expect(await writes()).toBe(true)
    })

    test('clears sessions and links that ended long ago', async () => {
      const { user } = await create('old', 'ada')
      const session = (idHash: string, until: string) =>
        sessions((s) => s.create({ idHash, userId: user.id, write_enabled: true, expires: until, tokenId: null }))
      await session('old', '2026-01-01T00:00:00Z')
      await session('new', expires)
      await sessions((s) => s.createLink({ idHash: 'old', username: 'ada', expires: '2026-01-01T00:00:00Z' }))
      await sessions((s) => s.createLink({ idHash: 'new', username: 'ada', expires }))
      const now = '2025-01-01T00:00:00Z'
      expect(await sessions((s) => s.find({ idHash: 'old', now }))).toEqual(Option.none())
      expect(Option.isSome(await sessions((s) => s.find({ idHash: 'new', now })))).toBe(true)
      expect(await sessions((s) => s.redeemLink({ idHash: 'old', now }))).toEqual(Option.none())
      expect(Option.isSome(await sessions((s) => s.redeemLink({ idHash: 'new', now })))).toBe(true)
    })

    test('a link makes its user and is used up by exactly one of many at once', async () => {
      await sessions((s) => s.createLink({ idHash: 'l1', username: 'new here', expires }))
      const redeemed = await sessions((s) =>
        Effect.all(
          Array.from({ length: 8 }, () => s.redeemLink({ idHash: 'l1', now: before })),
          {
            concurrency: 'unbounded',
          },
        ),
      )
      expect(redeemed.filter(Option.isSome)).toHaveLength(1)
      expect(redeemed.find(Option.isSome)).toEqual(Option.some({ id: expect.any(Number), username: 'new here' }))
    })

    test('a link that has expired signs no one in and creates no user', async () => {
      await sessions((s) => s.createLink({ idHash: 'l2', username: 'too late', expires }))
      expect(await sessions((s) => s.redeemLink({ idHash: 'l2', now: after }))).toEqual(Option.none())
      expect((await statement("select 1 from users where username = 'too late'")).rows).toEqual([])
    })

    test('a link of a user who is there signs that user in', async () => {
      const { user } = await create('known', 'ada')
      await sessions((s) => s.createLink({ idHash: 'l3', username: 'ada', expires }))
      expect(await sessions((s) => s.redeemLink({ idHash: 'l3', now: before }))).toEqual(Option.some(user))
    })
  })
})
