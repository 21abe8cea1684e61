import type { ModelName } from '@netbox-pbs/core'
import type { StoreFailed } from '@netbox-pbs/core/ports'
import type { Effect } from 'effect'
import { type RawBuilder, sql } from 'kysely'
import { jsonb, storable } from '../database/json.ts'
import type { Run } from '../database/session.ts'
import { tables } from '../tables/columns.ts'
import { type StagedRow, stagedColumns } from './staged-rows.ts'

/**
 * Stages rows in one statement. It is sent columns, not rows: a column that is the same in all rows as one value, each other as a JSON list of its own. PostgreSQL takes
 * that apart in less time than a list of rows, and in no more than COPY once the text of COPY is counted, which this process would have to write.
 */
export function stageRows(
  run: Run,
  part: number,
  model: ModelName,
  rows: ReadonlyArray<StagedRow>,
): Effect.Effect<unknown, StoreFailed> {
  const lists: Array<RawBuilder<unknown>> = []
  const values = stagedColumns(model).map(({ type }, i) => {
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
  const names = stagedColumns(model).map(({ name }) => sql.id(name))
  // Counted out, because all columns may be plain.
  const from = sql.join([sql`generate_series(1, ${rows.length}::int)`, ...lists])
  const columns = sql.join(['n', ...lists.map((_, i) => `c${i + 1}`)].map((name) => sql.id(name)))
  return run((db) =>
    sql`insert into ${sql.table(`staged_${tables[model]}`)} (part_id, ${sql.join(names)})
      select ${part}::bigint, ${sql.join(values)} from rows from (${from}) as r (${columns})`.execute(db),
  )
}

const isPlain = (value: unknown): value is string | number | boolean | null =>
  value === null || typeof value !== 'object'
