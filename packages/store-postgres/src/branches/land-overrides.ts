import { type Conflict, type FieldValue, type ModelName, overrideOf, type Resolution } from '@netbox-pbs/core'
import { type Kysely, sql } from 'kysely'
import { jsonb } from '../database/json.ts'
import type { Tables } from '../database/tables.ts'
import { tables } from '../tables/columns.ts'

/** Reviewers' decisions against a source, by object. */
export class PinsOfMerge {
  readonly #overrides = new Map<number, Record<string, FieldValue>>()

  /** Records an answer to a conflict, if it leaves an override behind. */
  add(model: ModelName, id: number, conflict: Conflict, resolution: Resolution): void {
    const pin = overrideOf(model, conflict, resolution)
    if (pin !== null) this.#overrides.set(id, { ...this.#overrides.get(id), [pin.field]: pin.sourceValue })
  }

  /**
   * Stores the overrides with their rows. Call this after the rows have landed, because a landing
   * removes the overrides of the fields that it changes.
   */
  async land(db: Kysely<Tables>, model: ModelName): Promise<void> {
    if (this.#overrides.size === 0) return
    const rows = [...this.#overrides].map(([id, overrides]) => ({ id, overrides }))
    await sql`
      update ${sql.table(tables[model])} t set overrides = coalesce(t.overrides, '{}') || r.overrides
      from jsonb_to_recordset(${jsonb(rows)}) as r (id bigint, overrides jsonb) where t.id = r.id`.execute(db)
  }
}
