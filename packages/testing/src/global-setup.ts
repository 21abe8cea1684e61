import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { openDoor } from './door.ts'
import { type PostgresServer, startPostgres } from './postgres-server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where a test file asks for the server, which starts with the first question. */
    readonly postgresAt: string
    /** Begins the name of each database of this run. */
    readonly postgresPrefix: string
    /** The folder of dumps of embedded databases, until the run ends. */
    readonly dumpFolder: string
  }
}

/** Leaves a server that is not ours as it was found. */
async function dropDatabases(url: string, prefix: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ datname: string }>(
      'select datname from pg_database where starts_with(datname, $1)',
      [prefix],
    )
    for (const { datname } of rows) await client.query(`drop database ${client.escapeIdentifier(datname)} with (force)`)
  } finally {
    await client.end()
  }
}

/**
 * One PostgreSQL server for a vitest run, started when a test first asks for it, or the server of
 * `DATABASE_URL`, in which the databases of the run are dropped. Dumps of embedded databases are in
 * a folder that is removed after the run.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['DATABASE_URL']
  const prefix = `netbox_pbs_test_${randomBytes(6).toString('hex')}_`
  let started: Promise<Pick<PostgresServer, 'url' | 'stop'>> | undefined
  const start = async (): Promise<Pick<PostgresServer, 'url' | 'stop'>> =>
    given === undefined || given === '' ? startPostgres() : { url: given, stop: () => dropDatabases(given, prefix) }

  const door = await openDoor(async () => {
    started = start()
    return (await started).url
  })
  project.provide('postgresAt', door.url)
  project.provide('postgresPrefix', prefix)
  const dumpFolder = mkdtempSync(join(tmpdir(), 'netbox-pbs-dumps-'))
  project.provide('dumpFolder', dumpFolder)

  return async () => {
    rmSync(dumpFolder, { recursive: true, force: true })
    door.close()
    await started?.then(
      (server) => server.stop(),
      () => undefined,
    )
  }
}
