import pg from 'pg'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { postgresUrl } from '../postgres-url.ts'
import { type DatabaseFault, databaseFaults } from './database-faults.ts'
import { type PostgresRelay, postgresRelay } from './postgres-relay.ts'

let url: string
let relay: PostgresRelay
const clients: Array<pg.Client> = []
beforeEach(async () => {
  url = await postgresUrl()
  relay = await postgresRelay(url)
  await direct('create table notes (text text)')
})
afterEach(async () => {
  await relay.stop()
  await Promise.all(clients.splice(0).map((client) => client.end().catch(() => undefined)))
})

const connected = async (to = relay.url, application_name = 'test'): Promise<pg.Client> => {
  const client = new pg.Client({ connectionString: to, application_name })
  client.on('error', () => undefined)
  await client.connect()
  clients.push(client)
  return client
}
const direct = async (text: string, at = url): Promise<ReadonlyArray<Record<string, unknown>>> =>
  (await (await connected(at)).query<Record<string, unknown>>(text)).rows
const notes = async (at = url): Promise<number> =>
  Number((await direct('select count(*) from notes', at))[0]?.['count'])
const faultOf = (title: string): DatabaseFault => {
  const fault = databaseFaults.find((one) => one.title === title)
  if (fault === undefined) throw new Error(`no fault: ${title}`)
  return fault
}
const insert = 'insert into notes values ($1)'

test('counts the statements of all connections, also those with values, but none of the control connections', async () => {
  const [a, b, control] = [await connected(), await connected(), await connected(relay.url, 'test control')]
  relay.watch()
  await a.query(insert, ['one'])
  await control.query('select 1')
  await b.query('select text from notes; select 2')
  await a.query({ text: insert, values: ['two'], name: 'named' })
  await a.query({ text: insert, values: ['three'], name: 'named' })
  expect(relay.statements().map(({ text }) => text)).toEqual([insert, 'select text from notes; select 2', insert, ''])
  expect(relay.struck()).toBe(false)
})

test.each([
  ['cut before it arrives', 0],
  ['cut before the answer arrives', 1],
])('%s: of the statement %i rows are there', async (title, rows) => {
  const client = await connected()
  relay.watch({ at: 2, fault: faultOf(title) })
  await client.query('select 1')
  await expect(client.query(insert, ['one'])).rejects.toThrow('Connection terminated unexpectedly')
  expect([relay.struck(), await notes()]).toEqual([true, rows])
  await (await connected()).query(insert, ['after'])
  expect(await notes()).toBe(rows + 1)
})

test.each([
  ['serialization failure', '40001'],
  ['deadlock', '40P01'],
  ['disk full', '53100'],
  ['statement timeout', '57014'],
  ['read-only transaction', '25006'],
])('%s: the client gets %s, and the transaction of the server has failed', async (title, code) => {
  const client = await connected()
  await client.query('begin')
  await client.query(insert, ['one'])
  relay.watch({ at: 1, fault: faultOf(title) })
  await expect(client.query(insert, ['two'])).rejects.toMatchObject({ code })
  await expect(client.query('select 1')).rejects.toMatchObject({ code: '25P02' })
  expect(await client.query('commit')).toMatchObject({ command: 'ROLLBACK' })
  expect(await notes()).toBe(0)
})

test('a session that an administrator ends gives its client the reason', async () => {
  const client = await connected()
  relay.watch({ at: 1, fault: faultOf('session ended by an administrator') })
  await expect(client.query(insert, ['one'])).rejects.toMatchObject({ code: '57P01' })
  expect(await notes()).toBe(0)
})

test('no more connections accepted: new ones are refused until the relay is healed', async () => {
  const client = await connected()
  relay.watch({ at: 1, fault: faultOf('no more connections accepted') })
  await expect(client.query(insert, ['one'])).rejects.toThrow('Connection terminated')
  await expect(connected()).rejects.toMatchObject({ code: '53300' })
  await relay.heal()
  await (await connected()).query(insert, ['after'])
  expect(await notes()).toBe(1)
})

test.each([
  ['silence before it arrives', 0],
  ['silence before the answer arrives', 1],
])(
  '%s: of the statement %i rows are there, and the server keeps the session of a client that has left',
  async (title, rows) => {
    const client = await connected()
    const [session] = (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows
    relay.watch({ at: 1, fault: faultOf(title) })
    const lost = client.query(insert, ['one']).catch(() => 'lost')
    await vi.waitFor(async () => expect([relay.struck(), await notes()]).toEqual([true, rows]))
    await client.end().catch(() => undefined)
    const kept = `select pid from pg_stat_activity where pid = ${session?.pid}`
    expect(await direct(kept)).toHaveLength(1)
    await relay.heal()
    expect(await lost).toBe('lost')
    await vi.waitFor(async () => expect(await direct(kept)).toEqual([]))
  },
)

test('failover to a copy: committed rows are there, and new ones go to the copy alone', async () => {
  const client = await connected()
  await client.query(insert, ['one'])
  relay.watch({ at: 1, fault: faultOf('failover to a copy') })
  await expect(client.query(insert, ['two'])).rejects.toThrow('Connection terminated')
  await (await connected()).query(insert, ['three'])
  const copy = await relay.heal()
  expect([await notes(), await notes(copy)]).toEqual([1, 2])
})

test('failover to a standby: it can only be read until it is healed, and on its old sessions also after', async () => {
  const client = await connected()
  relay.watch({ at: 1, fault: faultOf('failover to a standby that can only be read') })
  await expect(client.query(insert, ['one'])).rejects.toThrow('Connection terminated')
  const old = await connected()
  await expect(old.query(insert, ['two'])).rejects.toMatchObject({ code: '25006' })
  await relay.heal()
  await expect(old.query(insert, ['three'])).rejects.toMatchObject({ code: '25006' })
  await (await connected()).query(insert, ['four'])
  expect(await notes()).toBe(1)
})
