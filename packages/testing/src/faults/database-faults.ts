import pg from 'pg'
import { databaseOf } from '../postgres-url.ts'

/** A database that connections lead to from now on. */
interface Moved {
  readonly url: string
  /** Ends a state that passes, such as that of a standby that is not promoted yet. */
  readonly heal: () => Promise<void>
}

/** What can happen to a statement between a client and PostgreSQL. */
export type DatabaseFault = { readonly title: string } & (
  | {
      /** The connection breaks: before the server has the statement, or after it has done it and before its answer. */
      readonly kind: 'cut'
      readonly when: 'before' | 'after'
    }
  | {
      /** The connection stays open and nothing comes through any more. */
      readonly kind: 'silence'
      readonly when: 'before' | 'after'
    }
  /** The server answers with an error, or ends the session, because it runs this statement in place of the client's. */
  | { readonly kind: 'error' | 'end'; readonly statement: string }
  /** The connection breaks, and new ones are refused until the relay is healed. */
  | { readonly kind: 'refusal' }
  /** All connections break, and new ones lead to another database, or to the same one in another state. */
  | { readonly kind: 'move'; readonly move: (url: string) => Promise<Moved> }
)

/** Text that an error of PostgreSQL may quote from a row. It must be in no log, no response and no record. */
export const rowText = 'text-of-a-hidden-row'

const error = (title: string, code: string, message: string): DatabaseFault => ({
  title,
  kind: 'error',
  statement: `do $$ begin raise exception using errcode = '${code}', message = '${message}', detail = 'Failing row contains (${rowText}).'; end $$`,
})

async function ask(url: string, statements: ReadonlyArray<string>): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

const nameOf = (url: string): string => decodeURIComponent(new URL(url).pathname.slice(1))

const terminated = (url: string): string =>
  `select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = '${nameOf(url)}' and pid <> pg_backend_pid()`

const onMaintenanceDatabase = (url: string, statements: ReadonlyArray<string>): Promise<void> =>
  ask(databaseOf(url, 'postgres'), statements)

/**
 * A copy of the database as it is committed now, as a standby that replicates synchronously has it.
 * Unlogged tables are not replicated, so they are empty.
 */
async function clone(url: string): Promise<Moved> {
  const name = `${nameOf(url)}_2`
  await onMaintenanceDatabase(url, [terminated(url), `create database ${name} template ${nameOf(url)}`])
  const copy = databaseOf(url, name)
  await ask(copy, [
    `do $$ declare t regclass; begin
      for t in select oid from pg_class where relkind = 'r' and relpersistence = 'u' loop execute format('truncate %s', t); end loop;
    end $$`,
  ])
  return { url: copy, heal: async () => undefined }
}

/** The same rows, which can only be read until they are healed. A session that begins before keeps to reading. */
async function readOnly(url: string): Promise<Moved> {
  const set = (value: 'on' | 'off') => `alter database ${nameOf(url)} set default_transaction_read_only = ${value}`
  await onMaintenanceDatabase(url, [set('on'), terminated(url)])
  return { url, heal: () => onMaintenanceDatabase(url, [set('off')]) }
}

/** Every fault. */
export const databaseFaults: ReadonlyArray<DatabaseFault> = [
  { title: 'cut before it arrives', kind: 'cut', when: 'before' },
  { title: 'cut before the answer arrives', kind: 'cut', when: 'after' },
  error('serialization failure', '40001', 'could not serialize access due to concurrent update'),
  error('deadlock', '40P01', 'deadlock detected'),
  error('disk full', '53100', 'could not extend file: No space left on device'),
  error('statement timeout', '57014', 'canceling statement due to statement timeout'),
  error('read-only transaction', '25006', 'cannot execute INSERT in a read-only transaction'),
  {
    title: 'session ended by an administrator',
    kind: 'end',
    statement: 'do $$ begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(60); end $$',
  },
  { title: 'no more connections accepted', kind: 'refusal' },
  { title: 'silence before it arrives', kind: 'silence', when: 'before' },
  { title: 'silence before the answer arrives', kind: 'silence', when: 'after' },
  { title: 'failover to a copy', kind: 'move', move: clone },
  { title: 'failover to a standby that can only be read', kind: 'move', move: readOnly },
]
