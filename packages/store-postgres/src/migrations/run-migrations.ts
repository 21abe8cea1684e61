import { Data } from 'effect'
import { type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import type { Tables } from '../database/tables.ts'

/** The database was migrated by a newer release than this one. */
export class DatabaseTooNew extends Data.TaggedError('DatabaseTooNew')<{ readonly migration: string }> {
  override get message(): string {
    return `the database has the migration ${this.migration}, which this release does not know: upgrade netbox-pbs, or restore a backup made before`
  }
}

/** A set of migrations with the table that remembers them, in a schema of its own or in the default one. */
export interface MigrationSet {
  readonly migrations: Readonly<Record<string, Migration>>
  readonly table: string
  readonly schema?: string
}

/**
 * Brings a database up to date, in the present transaction under an advisory lock: processes that
 * start at once wait for the first, and a failed one has no effect. Returns the names of the
 * applied migrations.
 */
export async function runMigrations(
  db: Kysely<Tables>,
  set: MigrationSet,
): Promise<ReadonlyArray<string> | DatabaseTooNew> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`${set.schema ?? ''}.${set.table}`}, 0))`.execute(db)
  const applied = await appliedMigrations(db, set)
  const newer = applied.find((name) => !(name in set.migrations))
  if (newer !== undefined) return new DatabaseTooNew({ migration: newer })
  const { error, results } = await new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...set.migrations }) },
    migrationTableName: set.table,
    migrationLockTableName: `${set.table}_lock`,
    ...(set.schema !== undefined && { migrationTableSchema: set.schema }),
  }).migrateToLatest()
  if (error !== undefined) throw error
  return (results ?? []).map((result) => result.migrationName)
}

/** The migrations of a set that a database lacks. */
export async function lackingMigrations(
  db: Kysely<Tables>,
  set: MigrationSet,
): Promise<ReadonlyArray<string> | DatabaseTooNew> {
  const applied = await appliedMigrations(db, set)
  const newer = applied.find((name) => !(name in set.migrations))
  if (newer !== undefined) return new DatabaseTooNew({ migration: newer })
  return Object.keys(set.migrations).filter((name) => !applied.includes(name))
}

async function appliedMigrations(
  db: Kysely<Tables>,
  { table, schema = 'public' }: MigrationSet,
): Promise<ReadonlyArray<string>> {
  const name = sql.id(schema, table)
  const { rows: found } = await sql<{ there: boolean }>`
    select exists (select from pg_tables where schemaname = ${schema} and tablename = ${table}) as there`.execute(db)
  if (found[0]?.there !== true) return []
  const { rows } = await sql<{ name: string }>`select name from ${name} order by name`.execute(db)
  return rows.map((row) => row.name)
}
