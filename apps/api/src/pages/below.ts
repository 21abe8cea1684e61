import { choiceFor, type ModelName, registry } from '@netbox-pbs/core'
import { InventoryLists, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import type { Row } from '../inventory/row.ts'
import { readPageQuery } from './page-query.ts'
import { listPage } from './paths.ts'
import type { RelatedList } from './view/related.tsx'

/** A list, and the parameters that narrow it to what lies below a row. */
type Narrowed = readonly [model: ModelName, parameters: Readonly<Record<string, unknown>>]

const below: Readonly<Record<ModelName, (row: Row) => ReadonlyArray<Narrowed>>> = {
  server: ({ id: server_id }) => [
    ['datastore', { server_id }],
    ['namespace', { server_id }],
    ['group', { server_id }],
    ['snapshot', { server_id }],
    ['job', { server_id }],
  ],
  datastore: ({ server: server_id, name }) => [
    ['namespace', { server_id, datastore_name: name }],
    ['group', { server_id, datastore_name: name }],
    ['snapshot', { server_id, datastore_name: name }],
    ['job', { server_id, store: name }],
  ],
  namespace: ({ server: server_id, datastore_name, path: namespace }) => [
    ['group', { server_id, datastore_name, namespace }],
    ['snapshot', { server_id, datastore_name, namespace }],
  ],
  group: ({ server: server_id, datastore_name, namespace, backup_type, backup_id }) => {
    const type = choiceFor(registry.group.fields.backup_type.choices, String(backup_type)).value
    return [['snapshot', { server_id, datastore_name, namespace, backup_type: type, backup_id }]]
  },
  snapshot: () => [],
  job: () => [],
}

/** The lists below a row, each with how many rows it has. */
export const listsBelow = (
  model: ModelName,
  row: Row,
): Effect.Effect<ReadonlyArray<RelatedList>, StoreFailed, InventoryLists> =>
  Effect.forEach(below[model](row), ([name, narrowed]) =>
    Effect.gen(function* () {
      const texts = Object.entries(narrowed).map(([column, value]): [string, string] => [column, String(value)])
      const parameters = new URLSearchParams(texts)
      return {
        label: registry[name].labelPlural,
        href: `${listPage(name)}?${parameters}`,
        count: yield* countOf(name, parameters),
      }
    }),
  )

const countOf = (model: ModelName, parameters: URLSearchParams) =>
  Effect.gen(function* () {
    const lists = yield* InventoryLists
    const { resolved } = yield* readPageQuery(model, parameters)
    if (resolved._tag === 'refused') return 0
    const { count } = yield* lists.list({ ...resolved.query, page: { _tag: 'offset', limit: 1, offset: 0 } })
    return count ?? 0
  })
