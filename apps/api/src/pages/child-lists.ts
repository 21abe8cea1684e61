import { choiceFor, type ModelName, registry } from '@netbox-pbs/core'
import { InventoryLists, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { branchParameter } from '../branches/named-branch.ts'
import { anyRow, type Row } from '../inventory/row.ts'
import type { LatestTasksProps } from './components/latest-tasks.tsx'
import type { PageBranch } from './components/page-branch.ts'
import type { RelatedList } from './components/related.tsx'
import { readPageQuery } from './page-query.ts'
import { listPage } from './paths.ts'

/** A list, and the parameters that narrow it to what lies below a row. One with a label of its own is named only when it has rows. */
type Narrowed = readonly [model: ModelName, parameters: Readonly<Record<string, unknown>>, label?: string]

const children: Readonly<Record<ModelName, (row: Row) => ReadonlyArray<Narrowed>>> = {
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
    // A prune job's runs do not name it, only where it prunes.
    job_type === 'prune'
      ? ['task', { server_id, job_type, datastore_name, namespace }]
      : ['task', { server_id, job_type, job_id }],
  ],
  task: () => [],
}

/** In whichever namespace: backups do not name it. */
const tasksOfGuest = ({ server, datastore_name, backup_type, backup_id }: Readonly<Record<string, unknown>>) => ({
  server_id: server,
  datastore_name,
  backup_type,
  backup_id,
})

/** The lists below a row, each with how many rows it has. */
export const childLists = (
  model: ModelName,
  row: Row,
  branch: PageBranch,
): Effect.Effect<ReadonlyArray<RelatedList>, StoreFailed, InventoryLists> =>
  Effect.forEach(children[model](row), (narrowed) =>
    Effect.gen(function* () {
      const [name, , label] = narrowed
      const count = yield* countOf(name, parametersOf(narrowed))
      return label !== undefined && count === 0
        ? []
        : [{ label: label ?? registry[name].labelPlural, href: hrefOf(narrowed, branch), count }]
    }),
  ).pipe(Effect.map((lists) => lists.flat()))

/** The newest of the tasks below a row, and where all of them are; null: no task is ever below such a row. */
export const latestTasks = (
  model: ModelName,
  row: Row,
  branch: PageBranch,
): Effect.Effect<Pick<LatestTasksProps, 'rows' | 'href'> | null, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const narrowed = children[model](row).find(([name, , label]) => name === 'task' && label === undefined)
    if (narrowed === undefined) return null
    const { resolved } = yield* readPageQuery('task', parametersOf(narrowed))
    if (resolved._tag === 'refused') return null
    const page = { _tag: 'offset', limit: 5, offset: 0 } as const
    const { rows } = yield* (yield* InventoryLists).list({ ...resolved.query, page })
    return { rows: rows.map(anyRow), href: hrefOf(narrowed, branch) }
  })

const parametersOf = ([, parameters]: Narrowed): URLSearchParams =>
  new URLSearchParams(Object.entries(parameters).map(([column, value]): [string, string] => [column, String(value)]))

function hrefOf(narrowed: Narrowed, branch: PageBranch): string {
  const parameters = parametersOf(narrowed)
  if (branch !== null) parameters.set(branchParameter, branch.schema_id)
  return `${listPage(narrowed[0])}?${parameters}`
}

const countOf = (model: ModelName, parameters: URLSearchParams) =>
  Effect.gen(function* () {
    const lists = yield* InventoryLists
    const { resolved } = yield* readPageQuery(model, parameters)
    if (resolved._tag === 'refused') return 0
    const { count } = yield* lists.list({ ...resolved.query, page: { _tag: 'offset', limit: 1, offset: 0 } })
    return count ?? 0
  })
