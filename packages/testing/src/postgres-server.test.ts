import { existsSync } from 'node:fs'
import pg from 'pg'
import { expect, test } from 'vitest'
import { startPostgres } from './postgres-server.ts'

test('a server that is stopped answers no more and leaves no data', async () => {
  const server = await startPostgres()
  const client = new pg.Client({ connectionString: server.url })
  // The shutdown ends this session, which a client without a listener would turn into an uncaught error.
  client.on('error', () => undefined)
  await client.connect()
  const { rows } = await client.query<{ data: string }>("select current_setting('data_directory') as data")
  await server.stop()
  await expect(new pg.Client({ connectionString: server.url }).connect()).rejects.toThrow('ECONNREFUSED')
  expect(existsSync(rows[0]?.data ?? '/')).toBe(false)
})

test.each(['SIGKILL', 'SIGQUIT'] as const)(
  'a server that crashed by %s comes back with what was committed',
  async (signal) => {
    const server = await startPostgres({ durable: true })
    const connected = async () => {
      const client = new pg.Client({ connectionString: server.url })
      client.on('error', () => undefined)
      await client.connect()
      return client
    }
    try {
      const before = await connected()
      await before.query('create table kept as select 1 as x')
      await before.query('create unlogged table staged as select 1 as x')
      await before.query('begin')
      await before.query('insert into kept values (2)')
      const ended = new Promise((resolve) => before.once('end', resolve))
      await server.crash(signal)
      await server.restart()
      // Nothing was committed: the session of a killed server could still commit until it noticed
      // the end of the server.
      await ended
      const after = await connected()
      expect((await after.query('select x from kept')).rows).toEqual([{ x: 1 }])
      expect((await after.query('select x from staged')).rows).toEqual([])
      await after.end()
    } finally {
      await server.stop()
    }
  },
)
