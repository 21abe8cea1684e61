import {
  type Actor,
  type DefinitionKind,
  definitionModels,
  type FieldValues,
  fieldTitle,
  type JsonValue,
  type LoggedValues,
  type ModelName,
} from '@netbox-pbs/core'
import {
  DefinitionInUse,
  DefinitionNotFound,
  type DefinitionRemoval,
  DefinitionsTaken,
  type DefinitionUpdate,
  type StoreFailed,
  type VersionChanged,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { type Kysely, sql } from 'kysely'
import { differing, logOther } from '../change-log/log-other.ts'
import { lockAllValues, sharedValue } from '../custom-values/unique-values.ts'
import type { Database } from '../database/database.ts'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { nextVersion, versionChanged } from '../tables/row-version.ts'
import { definitionTables, selectDefinitions } from './definition-table.ts'

/** A definition and its place in a request. */
interface Placed {
  readonly id: number | null
  readonly values: FieldValues
}

/** Creates definitions, all or none. */
export const createDefinitions = Effect.fn('DefinitionStore.create')(function* (
  database: Database['Type'],
  {
    kind,
    rows,
    messages,
    actor,
  }: {
    readonly kind: DefinitionKind
    readonly rows: ReadonlyArray<FieldValues>
    readonly messages?: ReadonlyArray<string>
    readonly actor: Actor
  },
): Effect.fn.Return<ReadonlyArray<number>, StoreFailed | DefinitionsTaken> {
  return yield* database.transaction(`creating ${definitionModels[kind].labelPlural}`, async (trx) => {
    const stored = await lockKind(trx, kind)
    const taken = takenBy(
      kind,
      stored,
      rows.map((values) => ({ id: null, values })),
    )
    if (taken !== null) return taken
    const ids: Array<number> = []
    for (const [place, values] of rows.entries()) {
      const { rows: made } = await sql<{ id: number }>`
        insert into ${sql.table(definitionTables[kind])} (values) values (${jsonb(ownValues(kind, values))}) returning id`.execute(
        trx,
      )
      const id = made[0]?.id ?? 0
      if (kind === 'custom_field') await assign(trx, id, modelsOf(values))
      await logOther(trx, {
        ...about(kind, id, values),
        action: 'create',
        before: null,
        after: logged(values),
        by: saying(actor, messages?.[place]),
      })
      ids.push(id)
    }
    return ids
  })
})

/** Changes the named values of definitions, all or none. */
export const updateDefinitions = Effect.fn('DefinitionStore.update')(function* (
  database: Database['Type'],
  {
    kind,
    rows,
    actor,
  }: { readonly kind: DefinitionKind; readonly rows: ReadonlyArray<DefinitionUpdate>; readonly actor: Actor },
): Effect.fn.Return<void, StoreFailed | DefinitionsTaken | DefinitionNotFound | VersionChanged> {
  yield* database.transaction(`changing ${definitionModels[kind].labelPlural}`, async (trx) => {
    const stored = await lockKind(trx, kind)
    const found = findAll(stored, rows)
    if (found instanceof Error) return found
    const changes = found.map(({ values: before, request }) => ({
      id: request.id,
      before,
      values: { ...before, ...request.values },
      message: request.message,
    }))
    const taken = takenBy(kind, stored, changes) ?? (kind === 'custom_field' ? await sharedBy(trx, changes) : null)
    if (taken !== null) return taken
    for (const { id, before, values, message } of changes) {
      await sql`
        update ${sql.table(definitionTables[kind])} set values = ${jsonb(ownValues(kind, values))}, last_updated = ${nextVersion(sql`last_updated`)}
        where id = ${id}::bigint`.execute(trx)
      if (kind === 'custom_field') await assign(trx, id, modelsOf(values))
      const changed = differing(logged(before), logged(values))
      if (changed !== null)
        await logOther(trx, { ...about(kind, id, values), action: 'update', ...changed, by: saying(actor, message) })
    }
    return undefined
  })
})

/** Removes definitions, all or none. Rows are not written: they name what no definition has any more. */
export const removeDefinitions = Effect.fn('DefinitionStore.remove')(function* (
  database: Database['Type'],
  {
    kind,
    rows,
    actor,
  }: { readonly kind: DefinitionKind; readonly rows: ReadonlyArray<DefinitionRemoval>; readonly actor: Actor },
): Effect.fn.Return<void, StoreFailed | DefinitionNotFound | DefinitionInUse | VersionChanged> {
  yield* database.transaction(`deleting ${definitionModels[kind].labelPlural}`, async (trx) => {
    const stored = await lockKind(trx, kind)
    const found = findAll(stored, rows)
    if (found instanceof Error) return found
    const ids = rows.map(({ id }) => id)
    const used = kind === 'choice_set' ? await usersOf(trx, ids) : null
    if (used !== null) return used
    if (kind === 'custom_field')
      await sql`
        update custom_field_keys set removed = now() where field_id = any(${ids}::bigint[]) and removed is null`.execute(
        trx,
      )
    await sql`update ${sql.table(definitionTables[kind])} set removed = now() where id = any(${ids}::bigint[])`.execute(
      trx,
    )
    for (const { request, values } of found)
      await logOther(trx, {
        ...about(kind, request.id, values),
        action: 'delete',
        before: logged(values),
        after: null,
        by: saying(actor, request.message),
      })
    return undefined
  })
})

/** The author of an entry with the message of its object. */
const saying = (actor: Actor, message: string | undefined): Actor =>
  message === undefined ? actor : { ...actor, message }

/** A definition with its values, those of its row and its models. */
interface Stored {
  readonly values: FieldValues
  readonly version: string
}

/**
 * Locks a kind against other writers, and reads all of it: definitions are few and rarely written.
 * Custom fields name choice sets, so that both are locked together.
 */
async function lockKind(db: Kysely<Tables>, kind: DefinitionKind): Promise<ReadonlyMap<number, Stored>> {
  const locked = kind === 'tag' ? sql`tags` : sql`custom_field_choice_sets, custom_fields`
  await sql`lock table ${locked} in share row exclusive mode`.execute(db)
  const rows = await selectDefinitions(db, kind, sql``)
  return new Map(
    rows.map(({ id, created: _, last_updated: version, ...values }) => [
      id,
      // border: the members of a definition are the plain JSON of its fields
      { values: values as unknown as FieldValues, version },
    ]),
  )
}

/** The stored definitions of a request; the error of the first that is not there or has another version. */
function findAll<R extends DefinitionRemoval>(
  stored: ReadonlyMap<number, Stored>,
  rows: ReadonlyArray<R>,
): ReadonlyArray<{ readonly request: R; readonly values: FieldValues }> | DefinitionNotFound | VersionChanged {
  const found: Array<{ readonly request: R; readonly values: FieldValues }> = []
  for (const [index, request] of rows.entries()) {
    const row = stored.get(request.id)
    if (row === undefined) return new DefinitionNotFound({ index })
    const changed = versionChanged(row.version, request.versions, index)
    if (changed !== null) return changed
    found.push({ request, values: row.values })
  }
  return found
}

/** The places of definitions that have a unique value of another one, or of an earlier one of the request. */
function takenBy(
  kind: DefinitionKind,
  stored: ReadonlyMap<number, Stored>,
  rows: ReadonlyArray<Placed>,
): DefinitionsTaken | null {
  const written = new Set(rows.flatMap(({ id }) => id ?? []))
  const taken = definitionModels[kind].unique.flatMap((field) => {
    const value = (values: FieldValues) => String(values[field] ?? '').toLowerCase()
    const used = new Set([...stored].flatMap(([id, { values }]) => (written.has(id) ? [] : [value(values)])))
    return [...rows.entries()].flatMap(([index, { values }]) => {
      const again = used.has(value(values))
      used.add(value(values))
      return again ? [{ index, field }] : []
    })
  })
  return taken.length === 0 ? null : new DefinitionsTaken({ taken })
}

/**
 * The places of custom fields that become unique although rows of main share a value. No other value
 * is written until the end of the transaction. A model that gets the field now has no values of it.
 */
async function sharedBy(
  db: Kysely<Tables>,
  changes: ReadonlyArray<Placed & { readonly before: FieldValues }>,
): Promise<DefinitionsTaken | null> {
  const taken: Array<{ readonly index: number; readonly field: string }> = []
  for (const [index, { id, before, values }] of changes.entries()) {
    if (values['unique'] !== true || before['unique'] === true) continue
    const { rows: keys } = await sql<{ model: ModelName; key: string }>`
      select model, key::text as key from custom_field_keys where field_id = ${id}::bigint and removed is null`.execute(
      db,
    )
    await lockAllValues(
      db,
      keys.map(({ model }) => model),
    )
    for (const { model, key } of keys)
      if ((await sharedValue(db, model, [{ model, key, name: String(values['name']) }])) !== null)
        taken.push({ index, field: 'unique' })
  }
  return taken.length === 0 ? null : new DefinitionsTaken({ taken })
}

/** The values of a definition that its own table has. */
function ownValues(kind: DefinitionKind, values: FieldValues): FieldValues {
  const { object_types: models, ...own } = values
  return kind === 'custom_field' || models === undefined ? own : values
}

const modelsOf = ({ object_types: models }: FieldValues): ReadonlyArray<string> =>
  Array.isArray(models) ? models.map(String) : []

/**
 * Gives a field to these models and takes it from all others. A model that gets it again has no
 * values of it: the new key is in no row.
 */
async function assign(db: Kysely<Tables>, field: number, models: ReadonlyArray<string>): Promise<void> {
  await sql`
    update custom_field_keys set removed = now()
    where field_id = ${field}::bigint and removed is null and model <> all(${models}::text[])`.execute(db)
  await sql`
    insert into custom_field_keys (field_id, model) select ${field}::bigint, m.name from unnest(${models}::text[]) m (name)
    where not exists (select from custom_field_keys k where k.field_id = ${field}::bigint and k.model = m.name and k.removed is null)`.execute(
    db,
  )
}

/** The custom fields that use choice sets; null: none does. */
async function usersOf(db: Kysely<Tables>, sets: ReadonlyArray<number>): Promise<DefinitionInUse | null> {
  const fields = await selectDefinitions(db, 'custom_field', sql``)
  const users = fields.filter(({ choice_set }) => choice_set !== null && sets.includes(choice_set))
  return users.length === 0
    ? null
    : new DefinitionInUse({ dependents: users.map((field) => ({ id: field.id, display: fieldTitle(field) })) })
}

const about = (kind: DefinitionKind, id: number, { name }: FieldValues) => ({ model: kind, id, title: String(name) })

const logged = (values: FieldValues): LoggedValues =>
  Object.fromEntries(Object.entries(values).map(([name, value]): [string, JsonValue] => [name, value]))
