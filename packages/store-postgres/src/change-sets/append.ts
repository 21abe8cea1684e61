import {
  type Change,
  type FieldValue,
  keyText,
  type ModelName,
  type NaturalKey,
  type Sightings,
  scopeKey,
  scopeTitle,
} from '@netbox-pbs/core'
import {
  type Appended,
  ChangeSetClosed,
  type GroupDigest,
  type RetainedGroups,
  type StoreFailed,
} from '@netbox-pbs/core/ports'
import { Array as Arr, Effect } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/database.ts'
import { jsonb, storable } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { defaultValue, factColumns, ownObservations, tables } from '../tables/columns.ts'
import { lockChangeSet, openPart } from './parts.ts'

/**
 * Maximum number of rows in one statement: the embedded engine serves no one else during a
 * statement.
 */
const batchSize = 5000

/** Stages part of a scope's changes in one transaction. Fails when the change set is closed. */
export const append = Effect.fn('ChangeSets.append')(function* <M extends ModelName>(
  database: Database['Type'],
  {
    changeSet,
    scope,
    model,
    changes,
    held,
    observed = [],
    digests = [],
    sightings = noSightings,
    retained,
  }: WidePart<M>,
): Effect.fn.Return<void, StoreFailed | ChangeSetClosed> {
  yield* database.transaction(`staging ${scopeTitle(scope)}`, async (trx) => {
    const closed = new ChangeSetClosed({ changeSet })
    const sighted = sightedRows(sightings)
    const keys = retained?.keys ?? []
    if (changes.length + observed.length + digests.length + sighted.length + keys.length === 0)
      return (await lockChangeSet(trx, changeSet, 'share')) ? undefined : closed
    const part = await openPart(trx, changeSet, scopeKey(scope))
    if (part === null) return closed
    const { initial, later } = initialObservations(model, changes, observed)
    const staging = { held: held !== undefined, observed: initial }
    for (const some of batches<Change>(changes)) await stageChanges(trx, part, model, some, staging)
    for (const rows of batches(later)) await stageObservations(trx, part, rows)
    for (const rows of batches(digests)) await stageDigests(trx, part, rows)
    for (const rows of batches(sighted)) await stageSightings(trx, part, model, rows)
    for (const of of batches(keys)) await stageRetained(trx, part, { branch: retained?.branch ?? 0, keys: of })
  })
})

/** An observation of one row of any model. */
interface StagedObservation {
  readonly key: NaturalKey
  readonly values: object
}

/**
 * Observations of rows that the same part creates are stored with the rows, where the model's table
 * holds them; `later` are all others.
 */
function initialObservations<M extends ModelName>(
  model: M,
  changes: Appended<M>['changes'],
  observed: ReadonlyArray<StagedObservation>,
): { readonly initial: InitialObservations; readonly later: ReadonlyArray<StagedObservation> } {
  if (ownObservations(model).length === 0) return { initial: new Map(), later: observed }
  const created = new Map(
    changes.flatMap((change) => (change._tag === 'create' ? [[keyText(change.key), change as Change]] : [])),
  )
  const initial = new Map<Change, Readonly<Record<string, FieldValue>>>()
  const later: Array<StagedObservation> = []
  for (const { key, values } of observed) {
    const creation = created.get(keyText(key))
    if (creation === undefined) later.push({ key, values })
    else initial.set(creation, values as Readonly<Record<string, FieldValue>>) // border: the port knows their fields
  }
  return { initial, later }
}

/**
 * The port's type forbids observations, digests, sightings and retained groups by model; here they
 * are lists that may be empty.
 */
type WidePart<M extends ModelName> = Omit<Appended<M>, 'observed' | 'digests' | 'sightings' | 'retained'> & {
  readonly observed?: ReadonlyArray<StagedObservation>
  readonly digests?: ReadonlyArray<GroupDigest>
  readonly sightings?: Sightings
  readonly retained?: RetainedGroups
}

const noSightings: Sightings = { noted: [], returned: [] }

/** A row that is absent from now on, or listed again. */
interface SightedRow {
  readonly id: number
  readonly absent: boolean
}

const sightedRows = ({ noted, returned }: Sightings): ReadonlyArray<SightedRow> => [
  ...noted.map((id) => ({ id, absent: true })),
  ...returned.map((id) => ({ id, absent: false })),
]

async function stageObservations(
  db: Kysely<Tables>,
  part: number,
  rows: ReadonlyArray<StagedObservation>,
): Promise<void> {
  await sql`
    insert into staged_observations (part_id, key, values)
    select ${part}::bigint, key, values from jsonb_to_recordset(${jsonb(rows)}) as r (key jsonb, values jsonb)`.execute(
    db,
  )
}

async function stageDigests(db: Kysely<Tables>, part: number, rows: ReadonlyArray<GroupDigest>): Promise<void> {
  const parsed = rows.map(({ key, digest, listed, listDigest: list_digest }) => {
    const [, , , backup_type, backup_id] = key
    return { backup_type, backup_id, digest, listed_count: listed, list_digest }
  })
  await sql`
    insert into staged_digests (part_id, backup_type, backup_id, digest, listed_count, list_digest)
    select ${part}::bigint, backup_type, backup_id, digest, listed_count, list_digest
    from jsonb_to_recordset(${jsonb(parsed)})
      as r (backup_type text, backup_id text, digest text, listed_count bigint, list_digest text)`.execute(db)
}

async function stageSightings(
  db: Kysely<Tables>,
  part: number,
  model: ModelName,
  rows: ReadonlyArray<SightedRow>,
): Promise<void> {
  await sql`
    insert into staged_sightings (part_id, model, id, absent)
    select ${part}::bigint, ${model}, id, absent from jsonb_to_recordset(${jsonb(rows)}) as r (id bigint, absent boolean)`.execute(
    db,
  )
}

async function stageRetained(db: Kysely<Tables>, part: number, { branch, keys }: RetainedGroups): Promise<void> {
  const rows = keys.map(([, , , backup_type, backup_id]) => ({ backup_type, backup_id }))
  await sql`
    insert into staged_retained (part_id, branch_id, backup_type, backup_id)
    select ${part}::bigint, ${branch}::bigint, backup_type, backup_id from jsonb_to_recordset(${jsonb(rows)}) as r (backup_type text, backup_id text)`.execute(
    db,
  )
}

function* batches<A>(rows: ReadonlyArray<A>): Generator<ReadonlyArray<A>> {
  for (let from = 0; from < rows.length; from += batchSize) yield rows.slice(from, from + batchSize)
}

/** First observations by creation: those of models whose rows have them in themselves. */
type InitialObservations = ReadonlyMap<Change, Readonly<Record<string, FieldValue>>>

/** How changes are staged. */
interface Staging {
  /** Their deletions wait in any case. */
  readonly held: boolean
  readonly observed?: InitialObservations
}

/**
 * Stages changes of a model in one statement, kind by kind; since a kind fills the same columns in
 * all its rows, most columns of an update or a deletion are sent as one value. Lists are sent as
 * JSON: PostgreSQL reads that faster than a list of rows, and no slower than COPY if the time to
 * write its text is counted.
 */
export async function stageChanges(
  db: Kysely<Tables>,
  part: number,
  model: ModelName,
  changes: ReadonlyArray<Change>,
  staging: Staging,
): Promise<void> {
  const columns = stagedColumns(model, staging)
  const kinds = Object.values(Arr.groupBy(changes, ({ _tag }) => _tag))
  const selects = kinds.map((of) => sql`(${selectRows(part, columns, of)})`)
  const names = columns.map(({ name }) => sql.id(name))
  await sql`
    insert into ${sql.table(`staged_${tables[model]}`)} (part_id, ${sql.join(names)}) ${sql.join(selects, sql` union all `)}`.execute(
    db,
  )
}

/** A column of a staging table that a change fills. */
interface StagedColumn {
  readonly name: string
  /** In SQL. */
  readonly type: string
  /** The value that the column takes from a change; null: the change has none. */
  readonly of: (change: Change) => unknown
}

/** The columns of a model's staging table. `touched` travels as the text of a list of names. */
const stagedColumns = (model: ModelName, { held, observed }: Staging): ReadonlyArray<StagedColumn> => [
  { name: 'op', type: 'text', of: ({ _tag }) => (_tag === 'delete' && held ? 'hold' : _tag) },
  { name: 'id', type: 'bigint', of: ({ id }) => id ?? null },
  {
    name: 'touched',
    type: 'text[]',
    of: (change) => (change._tag === 'update' ? `{${change.fields.map(({ field }) => field).join(',')}}` : null),
  },
  {
    name: 'base',
    type: 'jsonb',
    of: (change) =>
      change._tag === 'update' ? Object.fromEntries(change.fields.map(({ field, base }) => [field, base])) : null,
  },
  ...factColumns(model).map(({ name, type, field }, place) => ({
    name,
    type,
    of: (change: Change) => factOf(change, field, place),
  })),
  ...ownObservations(model).map(({ name, type, field }) => ({
    name,
    type,
    of: (change: Change) =>
      change._tag === 'create' ? (observed?.get(change)?.[field] ?? defaultValue(model, field)) : null,
  })),
]

/** The fact in a column. The key comes first among the columns, in its own order. */
function factOf(change: Change, field: string, place: number): FieldValue {
  const key: ReadonlyArray<FieldValue> = change.key
  if (change._tag === 'update') {
    const touched = change.fields.find((one) => one.field === field)
    if (touched !== undefined) return touched.value
  }
  if (change._tag !== 'create' || place < key.length) return key[place] ?? null
  const values: Readonly<Record<string, FieldValue>> = change.values
  return values[field] ?? null
}

/**
 * Changes as a query: a column that is the same in all rows is sent as one value, each other as a
 * JSON list of its own.
 */
function selectRows(
  part: number,
  columns: ReadonlyArray<StagedColumn>,
  changes: ReadonlyArray<Change>,
): RawBuilder<unknown> {
  const lists: Array<RawBuilder<unknown>> = []
  const values = columns.map(({ type, of }) => {
    const column = changes.map(of)
    const [first] = column
    if (isPlain(first) && column.every((value) => value === first)) return sql`${storable(first)}::${sql.raw(type)}`
    const name = sql.ref(`r.c${lists.length + 1}`)
    if (type === 'jsonb') {
      lists.push(sql`jsonb_array_elements(${jsonb(column)})`)
      return sql`nullif(${name}, 'null')`
    }
    lists.push(sql`jsonb_array_elements_text(${jsonb(column)})`)
    return sql`${name}::${sql.raw(type)}`
  })
  // Counted out, because all columns may be plain.
  const from = sql.join([sql`generate_series(1, ${changes.length}::int)`, ...lists])
  const named = sql.join(['n', ...lists.map((_, i) => `c${i + 1}`)].map((name) => sql.id(name)))
  return sql`select ${part}::bigint, ${sql.join(values)} from rows from (${from}) as r (${named})`
}

const isPlain = (value: unknown): value is string | number | boolean | null =>
  value === null || typeof value !== 'object'
