import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { postgresUrl } from './postgres-url.ts'

async function rows(url: string, sql: string): Promise<ReadonlyArray<unknown>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

describe('postgresUrl', () => {
  test('is a database of its own on PostgreSQL 14 or newer', async () => {
    const [a, b] = await Promise.all([postgresUrl(), postgresUrl()])
    await rows(a, 'create table only_here (x int)')
    const tables = "select tablename from pg_tables where schemaname = 'public'"
    expect([await rows(a, tables), await rows(b, tables)]).toEqual([[{ tablename: 'only_here' }], []])
    expect(await rows(a, "select current_setting('server_version_num')::int >= 140000 as enough")).toEqual([
      { enough: true },
    ])
  })

  test('prepares a template once, however many ask at once, and copies it', async () => {
    let times = 0
    const template = {
      name: 'prepared-once',
      prepare: async (url: string) => {
        times += 1
        await rows(url, 'create table prepared as select 42 as x')
      },
    }
    const urls = await Promise.all([1, 2, 3].map(() => postgresUrl(template)))
    expect(new Set(urls).size).toBe(3)
    for (const url of urls) expect(await rows(url, 'select x from prepared')).toEqual([{ x: 42 }])
    expect(times).toBe(1)
  })

  test('tries a template again whose preparation failed', async () => {
    const failing = { name: 'fails-first', prepare: () => Promise.reject(new Error('not today')) }
    await expect(postgresUrl(failing)).rejects.toThrow('not today')
    const url = await postgresUrl({ ...failing, prepare: () => Promise.resolve() })
    expect(await rows(url, 'select 1 as x')).toEqual([{ x: 1 }])
  })
})
