import { branchedModels, type ModelName } from '@netbox-pbs/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { tables } from '../tables/columns.ts'
import { branchTable } from './branch-columns.ts'

/** How a field that was named or typed otherwise is to be read now. */
export interface Upcast {
  readonly model: ModelName
  /** The name it had. */
  readonly from: string
  /** The name it has; the same where only its type changed. */
  readonly to: string
  /** A value in JSON, as it is stored now; left out where values stay as they are. Null stays null. */
  readonly value?: (old: RawBuilder<unknown>) => RawBuilder<unknown>
}

/**
 * Rewrites what branches, and the overrides of main, say of fields by name, from before a version
 * of the registry. For a migration that renames or retypes fields; the columns themselves it alters
 * like main's, in `branch_<table>` too. Branches that have merged are rewritten as well, so that
 * they can still be undone.
 *
 * @example
 * ```ts
 * await sql`alter table branch_jobs rename column store to datastore`.execute(db)
 * await upcastBranches(db, 3, [{ model: 'job', from: 'store', to: 'datastore' }])
 * ```
 */
export async function upcastBranches(
  // biome-ignore lint/suspicious/noExplicitAny: a migration knows no tables.
  db: Kysely<any>,
  version: number,
  upcasts: ReadonlyArray<Upcast>,
): Promise<void> {
  for (const upcast of upcasts) {
    await upcastEntries(db, version, upcast)
    await upcastConflicts(db, upcast)
    await upcastPins(db, upcast)
  }
  for (const model of branchedModels) {
    await sql`
      update ${branchTable(model)} set registry_version = ${version}::bigint where registry_version < ${version}::bigint`.execute(
      db,
    )
  }
}

async function upcastEntries(db: Kysely<unknown>, version: number, upcast: Upcast): Promise<void> {
  const { model, from, to } = upcast
  const sides = ['before', 'after'].map((side) => {
    const values = sql`e.outcome -> ${side}::text`
    return sql`case when e.outcome ? ${side}::text then jsonb_build_object(${side}::text, ${renamed(values, upcast)}) else '{}' end`
  })
  await sql`
    update ${branchTable(model)} e set touched = array_replace(e.touched, ${from}::text, ${to}::text), base = ${renamed(sql`e.base`, upcast)},
      observation = ${renamed(sql`e.observation`, upcast)}, outcome = e.outcome || ${sql.join(sides, sql` || `)}
    where e.registry_version < ${version}::bigint`.execute(db)
}

async function upcastConflicts(db: Kysely<unknown>, upcast: Upcast): Promise<void> {
  const { model, from, to } = upcast
  const value = (name: string) => sql`${sql.id(name)} = ${now(sql.ref(`c.${name}`), upcast)}`
  await sql`
    update branch_conflicts c set field = ${to}::text, ${value('base')}, ${value('main')}, ${value('branch')},
      resolution = case when c.resolution ? 'value' then jsonb_set(c.resolution, '{value}', ${now(sql`(c.resolution -> 'value')`, upcast)}) else c.resolution end
    where c.model = ${model} and c.field = ${from}`.execute(db)
}

async function upcastPins(db: Kysely<unknown>, upcast: Upcast): Promise<void> {
  await sql`
    update ${sql.table(tables[upcast.model])} t set overrides = ${renamed(sql`t.overrides`, upcast)} where t.overrides ? ${upcast.from}`.execute(
    db,
  )
}

/** A JSON object by field with the field under its new name. */
const renamed = (values: RawBuilder<unknown>, upcast: Upcast): RawBuilder<unknown> => sql`
  case when (${values}) ? ${upcast.from}::text
    then ((${values}) - ${upcast.from}::text) || jsonb_build_object(${upcast.to}::text, ${now(sql`((${values}) -> ${upcast.from}::text)`, upcast)})
    else ${values} end`

const now = (old: RawBuilder<unknown>, { value }: Upcast): RawBuilder<unknown> =>
  value === undefined ? old : sql`case when ${old} = 'null' then ${old} else ${value(old)} end`
