import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'

const tables = ['servers', 'datastores', 'namespaces', 'groups', 'snapshots', 'jobs', 'tasks'] as const

/**
 * Rows inserted, updated and deleted per inventory table since the database was made, by
 * PostgreSQL's own counters. The writers must have disconnected.
 */
export async function writtenRows(url: string): Promise<Record<string, number>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ relname: string; written: string }>(
      'select relname, n_tup_ins + n_tup_upd + n_tup_del as written from pg_stat_user_tables where relname = any($1)',
      [tables],
    )
    return Object.fromEntries(rows.map(({ relname, written }) => [relname, Number(written)]))
  } finally {
    await client.end()
  }
}

/**
 * Where every inventory row lies and which transaction wrote it: any write moves it. For an
 * embedded database that is closed.
 */
export async function rowVersions(dataDir: string): Promise<Record<string, unknown>> {
  const db = await PGlite.create(join(dataDir, 'database'))
  try {
    const versions: Record<string, unknown> = {}
    for (const table of tables) {
      const { rows } = await db.query(
        `select count(*)::int as rows, md5(string_agg(ctid::text || xmin::text, ',' order by ctid)) as versions from ${table}`,
      )
      versions[table] = rows[0]
    }
    return versions
  } finally {
    await db.close()
  }
}

/** Runs one statement on a database of PostgreSQL. */
export async function onPostgres(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** Runs one statement on an embedded database that is closed. */
export async function onPglite(dataDir: string, statement: string): Promise<void> {
  const db = await PGlite.create(join(dataDir, 'database'))
  try {
    await db.exec(statement)
  } finally {
    await db.close()
  }
}
