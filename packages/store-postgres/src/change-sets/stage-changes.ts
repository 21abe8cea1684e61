import type { Change, FieldValue, ModelName } from '@netbox-pbs/core'
import { Array as Arr } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { jsonb, storable } from '../database/json.ts'
import type { Tables } from '../database/tables.ts'
import { defaultValue, factColumns, ownObservations, tables } from '../tables/columns.ts'

/** First observations by creation: those of models whose rows have them in themselves. */
export type InitialObservations = ReadonlyMap<Change, Readonly<Record<string, FieldValue>>>

/** How changes are staged. */
interface Staging {
  /** Their deletions wait in any case. */
  readonly held: boolean
  readonly observed?: InitialObservations
}

/**
 * Stages changes of a model in one statement, those of each kind after the other. A kind fills the
 * same columns in all its rows, so most columns of an update or a deletion are sent as one value. A
 * list travels as JSON: PostgreSQL takes that apart in less time than a list of rows, and in no
 * more than COPY once the text of COPY is counted, which this process would have to write.
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
  /** What it holds of a change; null: the change does not say. */
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
