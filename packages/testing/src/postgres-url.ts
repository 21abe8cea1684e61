import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import { askAt } from './door.ts'

/** A database that is prepared once in a run and then copied, where preparing takes longer than copying. */
export interface Template {
  /** Short and unique in the repository: `store-migrated`. */
  readonly name: string
  /** Brings an empty database to the state to be copied, and leaves no connection to it open. */
  readonly prepare: (url: string) => Promise<void>
}

/** The URL of another database of the same server. */
export const databaseOf = (url: string, name: string): string => {
  const result = new URL(url)
  result.pathname = `/${name}`
  return result.href
}

async function prepared(client: pg.Client, url: string, template: Template): Promise<string> {
  const name = `${inject('postgresPrefix')}t_${template.name.replaceAll(/\W/g, '_')}`
  // Test files run at once and one of them prepares; the lock ends with the session, also when preparing fails.
  await client.query('select pg_advisory_lock(hashtext($1))', [name])
  const { rowCount } = await client.query('select from pg_database where datname = $1', [name])
  if (rowCount === 0) {
    const unfinished = `${name}_${randomBytes(4).toString('hex')}`
    await client.query(`create database ${client.escapeIdentifier(unfinished)}`)
    await template.prepare(databaseOf(url, unfinished))
    await client.query(
      `alter database ${client.escapeIdentifier(unfinished)} rename to ${client.escapeIdentifier(name)}`,
    )
  }
  return name
}

/**
 * The URL of a fresh, empty database on a real PostgreSQL server, or of a fresh copy of the template;
 * it exists until the run ends. The vitest configuration must name
 * `packages/testing/src/global-setup.ts` as a `globalSetup`.
 */
export async function postgresUrl(template?: Template): Promise<string> {
  const url = await askAt(inject('postgresAt'), 'PostgreSQL')
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const from = template === undefined ? 'template1' : await prepared(client, url, template)
    const name = `${inject('postgresPrefix')}${randomBytes(6).toString('hex')}`
    await client.query(`create database ${client.escapeIdentifier(name)} template ${client.escapeIdentifier(from)}`)
    return databaseOf(url, name)
  } finally {
    await client.end()
  }
}
