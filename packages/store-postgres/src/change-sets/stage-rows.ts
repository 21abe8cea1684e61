import type { ModelName } from '@netbox-pbs/core'
import { Array as Arr } from 'effect'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { jsonb, storable } from '../database/json.ts'
import type { Tables } from '../database/tables.ts'
import { tables } from '../tables/columns.ts'
import { type StagedColumn, type StagedRow, stagedColumns } from './staged-rows.ts'

/**
 * Stages rows in one statement, the rows of each kind of change after the other. A kind fills the
 * same columns in all its rows, so most columns of an update or a deletion are sent as one value. A
 * list travels as JSON: PostgreSQL takes that apart in less time than a list of rows, and in no
 * more than COPY once the text of COPY is counted, which this process would have to write.
 */
export async function stageRows(
  db: Kysely<Tables>,
  part: number,
  model: ModelName,
  rows: ReadonlyArray<StagedRow>,
): Promise<void> {
  const columns = stagedColumns(model)
  const kinds = Object.values(Arr.groupBy(rows, ([op]) => String(op)))
  const selects = kinds.map((of) => sql`(${selectRows(part, columns, of)})`)
  const names = columns.map(({ name }) => sql.id(name))
  await sql`
    insert into ${sql.table(`staged_${tables[model]}`)} (part_id, ${sql.join(names)}) ${sql.join(selects, sql` union all `)}`.execute(
    db,
  )
}

/**
 * Rows as a query: a column that is the same in all rows is sent as one value, each other as a JSON
 * list of its own.
 */
function selectRows(
  part: number,
  columns: ReadonlyArray<StagedColumn>,
  rows: ReadonlyArray<StagedRow>,
): RawBuilder<unknown> {
  const lists: Array<RawBuilder<unknown>> = []
  const values = columns.map(({ type }, i) => {
    const column = rows.map((row) => row[i] ?? null)
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
  const from = sql.join([sql`generate_series(1, ${rows.length}::int)`, ...lists])
  const named = sql.join(['n', ...lists.map((_, i) => `c${i + 1}`)].map((name) => sql.id(name)))
  return sql`select ${part}::bigint, ${sql.join(values)} from rows from (${from}) as r (${named})`
}

const isPlain = (value: unknown): value is string | number | boolean | null =>
  value === null || typeof value !== 'object'
