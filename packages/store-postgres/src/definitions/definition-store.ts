import { type DefinitionKind, modelNames } from '@netbox-pbs/core'
import { DefinitionStore } from '@netbox-pbs/core/ports'
import { Effect, Layer } from 'effect'
import { sql } from 'kysely'
import { Database } from '../database/database.ts'
import { tables } from '../tables/columns.ts'
import { recordCount, recordOrder, recordSlice } from '../tables/record-list.ts'
import {
  definitionList,
  definitionsOf,
  definitionTables,
  matching,
  selectDefinitions,
  withIds,
} from './definition-table.ts'
import { modelFields } from './model-fields.ts'
import { createDefinitions, removeDefinitions, updateDefinitions } from './write-definitions.ts'

/** Tags, custom fields and choice sets, each kind in a table. */
export const definitionStoreLayer: Layer.Layer<DefinitionStore, never, Database> = Layer.effect(
  DefinitionStore,
  Effect.map(Database, (database) =>
    DefinitionStore.of({
      list: Effect.fn('DefinitionStore.list')(({ kind, filter, ...request }) =>
        database.query(reading(kind), async (db) => {
          const which = await matching(db, kind, filter)
          const list = definitionList(kind)
          const own = { id: list.id, order: recordOrder(list, filter.order) }
          const { begin, order, limit, ...slice } = recordSlice(request, own)
          const count = await recordCount(db, slice, sql`from ${definitionsOf(kind)} where d.removed is null ${which}`)
          const page = sql`${which} and ${begin} order by ${order} ${limit}`
          return { count, rows: await selectDefinitions(db, kind, page) }
        }),
      ),
      byIds: Effect.fn('DefinitionStore.byIds')(({ kind, ids }) =>
        database.query(reading(kind), async (db) => {
          const found = await selectDefinitions(db, kind, withIds(ids))
          const rows = new Map(found.map((row) => [row.id, row]))
          return ids.flatMap((id) => rows.get(id) ?? [])
        }),
      ),
      create: (request) => createDefinitions(database, request),
      update: (request) => updateDefinitions(database, request),
      remove: (request) => removeDefinitions(database, request),
      fieldsOf: Effect.fn('DefinitionStore.fieldsOf')(({ model }) =>
        database.query(reading('custom_field'), (db) => modelFields(db, model)),
      ),
      tagsNamed: Effect.fn('DefinitionStore.tagsNamed')(({ ids = [], names = [], slugs = [] }) =>
        database.query(reading('tag'), async (db) => {
          if (ids.length + names.length + slugs.length === 0) return []
          const storable = (texts: ReadonlyArray<string>) =>
            texts.filter((text) => !text.includes('\0') && text.isWellFormed())
          return await selectDefinitions(
            db,
            'tag',
            sql`and (d.id = any(${ids.filter(Number.isSafeInteger)}::bigint[]) or d.values ->> 'name' = any(${storable(names)}::text[])
              or d.values ->> 'slug' = any(${storable(slugs)}::text[])) order by d.id`,
          )
        }),
      ),
      tagged: Effect.fn('DefinitionStore.tagged')(({ ids }) =>
        database.query('counting the rows of tags', async (db) => {
          if (ids.length === 0) return new Map()
          // The first condition is that of the index.
          const counts = modelNames.map(
            (model) =>
              sql`(select count(*) from ${sql.table(tables[model])} t where t.tags <> '[]' and t.tags @> jsonb_build_array(i.id))`,
          )
          const { rows } = await sql<{ id: number; count: number }>`
            select i.id, (${sql.join(counts, sql` + `)})::bigint as count from unnest(${ids}::bigint[]) i (id)`.execute(
            db,
          )
          return new Map(rows.map(({ id, count }) => [id, count]))
        }),
      ),
    }),
  ),
)

const reading = (kind: DefinitionKind): string => `reading the ${definitionTables[kind].replaceAll('_', ' ')}`
