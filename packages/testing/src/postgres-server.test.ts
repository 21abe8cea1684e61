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
