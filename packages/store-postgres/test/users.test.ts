import { LastAdmin, type NewUser, Sessions, type UserFilter, UsernameTaken, Users } from '@netbox-pbs/core/ports'
import { Effect, Either, Layer, ManagedRuntime, Option } from 'effect'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accountsLayer } from '../src/accounts/accounts-layer.ts'
import { Database } from '../src/database/database.ts'
import { engines } from './engines.ts'

describe.each(engines)('Users on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(accountsLayer, migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Sessions | Users | Database>) => runtime.runPromise(effect)
  const users = <A, E>(use: (users: typeof Users.Service) => Effect.Effect<A, E>) => run(Effect.flatMap(Users, use))
  const sessions = <A, E>(use: (sessions: typeof Sessions.Service) => Effect.Effect<A, E>) =>
    run(Effect.flatMap(Sessions, use))
  const statement = (text: string) =>
    run(Effect.flatMap(Database, (database) => database.query('testing', (db) => sql.raw(text).execute(db))))

  // An admin must stay whenever a user is changed.
  beforeAll(() => statement("insert into users (username, role) values ('first', 'admin')"))
  afterAll(() => runtime.dispose())

  const ida: NewUser = {
    username: 'Ida',
    first_name: 'Ida',
    last_name: '',
    email: 'ida@example.com',
    is_active: true,
    role: 'operator',
    servers: [2, 5],
    passwordHash: 'a hash',
  }
  const by = (field: string, ...values: ReadonlyArray<string | boolean>) =>
    ({ where: [{ field, lookup: 'exact', values }] }) as const
  const named = (username: string): NewUser => ({ ...ida, username })

  test('stores a user, and finds it by its exact name with the hash', async () => {
    const [made] = await users((u) => u.create({ users: [ida] }))
    const { passwordHash: _, ...shown } = ida
    expect(made).toEqual({
      ...shown,
      id: expect.any(Number),
      created: expect.stringMatching(/Z$/),
      last_login: null,
      has_password: true,
    })
    expect(await users((u) => u.byName({ username: 'Ida' }))).toEqual(Option.some({ ...made, passwordHash: 'a hash' }))
    expect(await users((u) => u.byName({ username: 'ida' }))).toEqual(Option.none())
    await users((u) => u.loggedIn({ id: made?.id ?? 0 }))
    const [after] = (await users((u) => u.list({ ...by('username', 'Ida'), limit: 1, offset: 0 }))).rows
    expect(after).toEqual({ ...made, last_login: expect.stringMatching(/Z$/) })
  })

  test('has each name once, in whatever case; many are created all or none', async () => {
    const twice = await users((u) => Effect.flip(u.create({ users: [named('zoe'), named('IDA')] })))
    expect(twice).toEqual(new UsernameTaken({ username: 'IDA', at: 1 }))
    expect(await users((u) => u.byName({ username: 'zoe' }))).toEqual(Option.none())
    const [zoe] = await users((u) => u.create({ users: [named('zoe')] }))
    const id = zoe?.id ?? 0
    const renamed = await users((u) => Effect.flip(u.update({ changes: [{ id, change: { username: 'iDa' } }] })))
    expect(renamed).toEqual(new UsernameTaken({ username: 'iDa', at: 0 }))
    expect(await users((u) => u.update({ changes: [{ id, change: { username: 'Zoe' } }] }))).toMatchObject([
      { id, username: 'Zoe', servers: [2, 5] },
    ])
  })

  test('one name that many ask for at once is one user', async () => {
    const made = await Promise.all(
      Array.from({ length: 6 }, () => users((u) => Effect.either(u.create({ users: [named('rare')] })))),
    )
    expect(made.filter(Either.isRight)).toHaveLength(1)
  })

  test('lists by name, some of them, a page at a time', async () => {
    const find = async (filter: UserFilter) =>
      (await users((u) => u.list({ ...filter, limit: 100, offset: 0 }))).rows.map(({ username }) => username)
    await users((u) => u.create({ users: [{ ...named('list-b'), role: 'viewer', is_active: false }, named('list-a')] }))
    expect(await find({ search: 'LIST-' })).toEqual(['list-a', 'list-b'])
    expect(await find({ search: 'list-', ...by('role', 'viewer') })).toEqual(['list-b'])
    expect(await find({ search: 'list-', ...by('is_active', true) })).toEqual(['list-a'])
    expect(await find({ search: '%' })).toEqual([])
    // The name and the address are two texts.
    expect(await find({ search: 'list-a ida' })).toEqual([])
    expect(await find(by('username', 'list-a', 'absent'))).toEqual(['list-a'])
    expect(await find({ search: 'list-', order: [{ field: 'role', descending: true }] })).toEqual(['list-b', 'list-a'])
    const page = await users((u) => u.list({ search: 'list-', limit: 1, offset: 1 }))
    expect([page.count, page.rows.map(({ username }) => username)]).toEqual([2, ['list-b']])
  })

  test('an active admin stays, whatever is changed or removed', async () => {
    await statement("update users set role = 'viewer'")
    const [admin] = await users((u) => u.create({ users: [{ ...named('root'), role: 'admin', servers: null }] }))
    const id = admin?.id ?? 0
    for (const change of [{ role: 'operator' }, { is_active: false }] as const)
      expect(await users((u) => Effect.flip(u.update({ changes: [{ id, change }] })))).toEqual(new LastAdmin())
    expect(await users((u) => Effect.flip(u.remove({ ids: [id] })))).toEqual(new LastAdmin())
    expect(Option.getOrThrow(await users((u) => u.byName({ username: 'root' })))).toMatchObject(admin ?? {})
    const [other] = await users((u) => u.create({ users: [{ ...named('root2'), role: 'admin', servers: null }] }))
    expect(await users((u) => u.remove({ ids: [id, 999_999] }))).toBe(1)
    expect(await users((u) => Effect.flip(u.remove({ ids: [other?.id ?? 0] })))).toEqual(new LastAdmin())
  })

  test('a new password, and a user who is not active any more, end the sessions', async () => {
    const [made] = await users((u) => u.create({ users: [named('eva')] }))
    const id = made?.id ?? 0
    const open = async (idHash: string) => {
      const session = { idHash, userId: id, write_enabled: true, expires: '2026-05-01T12:00:00Z', tokenId: null }
      await sessions((s) => s.create(session))
    }
    const rights = async (idHash: string) =>
      Option.map(await sessions((s) => s.find({ idHash, now: '2026-05-01T11:00:00Z' })), ({ user }) => user)
    await open('u1')
    await users((u) => u.update({ changes: [{ id, change: { role: 'viewer', servers: null } }] }))
    expect(await rights('u1')).toEqual(Option.some({ id, username: 'eva', role: 'viewer', servers: null }))
    await users((u) => u.update({ changes: [{ id, change: { passwordHash: 'another' } }] }))
    expect(await rights('u1')).toEqual(Option.none())
    await open('u2')
    await statement(`update users set is_active = false where id = ${id}`)
    expect(await rights('u2')).toEqual(Option.none())
  })

  test('the change log has every change, and nothing of a password', async () => {
    await statement('delete from changes')
    const actor = { user: 'ada', requestId: '5c0f2f7e-0000-4000-8000-000000000004' }
    const [made] = await users((u) => u.create({ users: [named('logged')], actor }))
    const id = made?.id ?? 0
    const change = { role: 'viewer', passwordHash: 'another hash' } as const
    await users((u) => u.update({ changes: [{ id, change }], actor }))
    await users((u) => u.update({ changes: [{ id, change }], actor }))
    await users((u) => u.remove({ ids: [id], actor }))
    const { rows } = await statement('select action, title, before, after from changes order by id')
    const { passwordHash: _, ...values } = named('logged')
    expect(rows).toEqual([
      { action: 'create', title: 'logged', before: null, after: values },
      {
        action: 'update',
        title: 'logged',
        before: { role: 'operator', password: null },
        after: { role: 'viewer', password: 'changed' },
      },
      { action: 'delete', title: 'logged', before: { ...values, role: 'viewer' }, after: null },
    ])
  })
})
