import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { startPostgres } from '@netbox-pbs/testing'
import pg from 'pg'
import type { StoreAt } from './store.ts'

/** Where the benchmark keeps its databases: the one that is synced, and the one that COPY fills. */
export interface Stores {
  readonly synced: StoreAt
  readonly copied: StoreAt
  /** One more database to sync while it is read; null on a server, where readers do not wait for a landing. */
  readonly observed: StoreAt | null
  /** Removes all. */
  readonly drop: () => Promise<void>
}

/** Folders of PGlite. They go with the folder around them. */
export const pgliteStores = (folder: string): Stores => ({
  synced: { _tag: 'pglite', dataDir: join(folder, 'synced') },
  copied: { _tag: 'pglite', dataDir: join(folder, 'copied') },
  observed: { _tag: 'pglite', dataDir: join(folder, 'observed') },
  drop: async () => undefined,
})

/** Two databases of a PostgreSQL server: the given one, or one that is started for it. */
export async function pgStores(given: string | null): Promise<Stores & { readonly synced: { readonly _tag: 'pg' } }> {
  const server = given === null ? await startPostgres() : { url: given, stop: async () => undefined }
  const prefix = `netbox_pbs_bench_${randomBytes(6).toString('hex')}`
  const names = [`${prefix}_synced`, `${prefix}_copied`]
  for (const name of names) await execute(server.url, `create database ${pg.escapeIdentifier(name)}`)
  const [synced = '', copied = ''] = names.map((name) => databaseUrl(server.url, name))
  return {
    synced: { _tag: 'pg', url: synced },
    copied: { _tag: 'pg', url: copied },
    observed: null,
    drop: async () => {
      for (const name of names) await execute(server.url, `drop database ${pg.escapeIdentifier(name)} with (force)`)
      await server.stop()
    },
  }
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(statement).finally(() => client.end())
}

function databaseUrl(url: string, name: string): string {
  const result = new URL(url)
  result.pathname = `/${name}`
  return result.href
}
