import { choiceFor, type ModelName, registry } from '@netbox-pbs/core'
import { type DefinitionStore, InventoryLists, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { branchParameter } from '../../rest/branch-place.ts'
import { listPage } from '../../rest/page-paths.ts'
import { anyRow, type Row } from '../../rest/row.ts'
import type { PageBranch } from '../components/viewer.ts'
import { readPageQuery } from '../lists/page-query.ts'
import type { RelatedList } from './detail.tsx'

/**
 * A list and the parameters that filter it to the children of a row. A list with its own label is
 * shown only when it has rows.
 */
type ChildList = readonly [model: ModelName, parameters: Readonly<Record<string, unknown>>, label?: string]

const children: Readonly<Record<ModelName, (row: Row) => ReadonlyArray<ChildList>>> = {
  server: ({ id: server_id }) => [
    ['datastore', { server_id }],
    ['namespace', { server_id }],
    ['group', { server_id }],
    ['snapshot', { server_id }],
    ['job', { server_id }],
    ['task', { server_id }],
  ],
  datastore: ({ server: server_id, name }) => [
    ['namespace', { server_id, datastore_name: name }],
    ['group', { server_id, datastore_name: name }],
    ['snapshot', { server_id, datastore_name: name }],
    ['job', { server_id, store: name }],
    ['task', { server_id, datastore_name: name }],
  ],
  namespace: ({ server: server_id, datastore_name, path: namespace }) => [
    ['group', { server_id, datastore_name, namespace }],
    ['snapshot', { server_id, datastore_name, namespace }],
  ],
  group: ({ server: server_id, datastore_name, namespace, backup_type, backup_id }) => {
    const type = choiceFor(registry.group.fields.backup_type.choices, String(backup_type)).value
    return [
      ['snapshot', { server_id, datastore_name, namespace, backup_type: type, backup_id }],
      ['task', tasksOfGuest({ server: server_id, datastore_name, backup_type, backup_id })],
    ]
  },
  snapshot: (row) => [
    ['task', tasksOfGuest(row)],
    ...(row['verification_upid'] === ''
      ? []
      : [['task', { server_id: row['server'], upid: row['verification_upid'] }, 'Verification'] as const]),
  ],
  job: ({ server: server_id, job_type, job_id, store: datastore_name, namespace }) => [
    // The tasks of a prune job do not name the job, only the place that it prunes.
    job_type === 'prune'
      ? ['task', { server_id, job_type, datastore_name, namespace }]
      : ['task', { server_id, job_type, job_id }],
  ],
  task: () => [],
}

/** Tasks of all namespaces, because backup tasks do not name theirs. */
const tasksOfGuest = ({ server, datastore_name, backup_type, backup_id }: Readonly<Record<string, unknown>>) => ({
  server_id: server,
  datastore_name,
  backup_type,
  backup_id,
})

/** The child lists of a row, each with its number of rows. */
export const childLists = (
  model: ModelName,
  row: Row,
  branch: PageBranch,
): Effect.Effect<ReadonlyArray<RelatedList>, StoreFailed, InventoryLists | DefinitionStore> =>
  Effect.forEach(children[model](row), (list) =>
    Effect.gen(function* () {
      const [name, , label] = list
      const count = yield* countOf(name, parametersOf(list))
      return label !== undefined && count === 0
        ? []
        : [{ label: label ?? registry[name].labelPlural, href: hrefOf(list, branch), count }]
    }),
  ).pipe(Effect.map((lists) => lists.flat()))

/** Rows of a list that a row's page shows, and the address of all of them. */
export interface FirstRows {
  readonly rows: ReadonlyArray<Row>
  readonly href: string
}

/** The newest snapshots of a group. */
export const restorePoints = (
  row: Row,
  branch: PageBranch,
): Effect.Effect<FirstRows | null, StoreFailed, InventoryLists | DefinitionStore> =>
  firstOf('group', row, { child: 'snapshot', limit: 50, branch })

/** The newest tasks of a row; null for a model that has no tasks. */
export const latestTasks = (
  model: ModelName,
  row: Row,
  branch: PageBranch,
): Effect.Effect<FirstRows | null, StoreFailed, InventoryLists | DefinitionStore> =>
  firstOf(model, row, { child: 'task', limit: 5, branch })

const firstOf = (
  model: ModelName,
  row: Row,
  { child, limit, branch }: { readonly child: ModelName; readonly limit: number; readonly branch: PageBranch },
) =>
  Effect.gen(function* () {
    const list = children[model](row).find(([name, , label]) => name === child && label === undefined)
    if (list === undefined) return null
    const { resolved } = yield* readPageQuery(child, parametersOf(list))
    if (resolved._tag === 'rejected') return null
    const { rows } = yield* (yield* InventoryLists).list({
      ...resolved.query,
      page: { _tag: 'offset', limit, offset: 0 },
    })
    return { rows: rows.map(anyRow), href: hrefOf(list, branch) }
  })

const parametersOf = ([, parameters]: ChildList): URLSearchParams =>
  new URLSearchParams(Object.entries(parameters).map(([column, value]): [string, string] => [column, String(value)]))

function hrefOf(list: ChildList, branch: PageBranch): string {
  const parameters = parametersOf(list)
  if (branch !== null) parameters.set(branchParameter, branch.schema_id)
  return `${listPage(list[0])}?${parameters}`
}

const countOf = (model: ModelName, parameters: URLSearchParams) =>
  Effect.gen(function* () {
    const lists = yield* InventoryLists
    const { resolved } = yield* readPageQuery(model, parameters)
    if (resolved._tag === 'rejected') return 0
    const { count } = yield* lists.list({ ...resolved.query, page: { _tag: 'offset', limit: 1, offset: 0 } })
    return count ?? 0
  })
