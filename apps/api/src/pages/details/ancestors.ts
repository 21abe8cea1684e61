import type { Filter, ModelName } from '@netbox-pbs/core'
import { InventoryLists, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { rowPage } from '../../rest/page-paths.ts'
import { anyRow, type Row } from '../../rest/row.ts'
import type { PageBranch } from '../components/viewer.ts'

/** What a row belongs to, from its server down. */
export interface Ancestor {
  /** The fields of the row that name it. */
  readonly fields: ReadonlyArray<string>
  readonly label: string
  /** Its page; null: the inventory has no such row. */
  readonly href: string | null
}

/** A row above another: its model, the fields of the lower row that name it, and what it is called there. */
interface Level {
  readonly model: ModelName
  readonly by: Readonly<Record<string, unknown>>
  readonly fields: ReadonlyArray<string>
  readonly label: string
}

/** The rows that a row belongs to, with the addresses of their pages. */
export const ancestors = (
  model: ModelName,
  row: Row,
  branch: PageBranch,
): Effect.Effect<ReadonlyArray<Ancestor>, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    if (model === 'server') return []
    const server: Ancestor = {
      fields: ['server'],
      label: row.serverName,
      href: rowPage('server', Number(row['server']), branch),
    }
    const above = yield* Effect.forEach(levels(model, row), (level) =>
      Effect.map(
        firstRow(level.model, { server: row['server'], ...level.by }),
        (found): Ancestor => ({
          fields: level.fields,
          label: level.label,
          href: found === null ? null : rowPage(level.model, found.id, branch),
        }),
      ),
    )
    return [server, ...above]
  })

function levels(model: ModelName, row: Row): ReadonlyArray<Level> {
  const text = (name: string): string => String(row[name] ?? '')
  const store = model === 'job' ? text('store') : text('datastore_name')
  if (store === '') return []
  const [namespace, type, id] = [text('namespace'), text('backup_type'), text('backup_id')]
  const datastore: Level = {
    model: 'datastore',
    by: { name: store },
    fields: [model === 'job' ? 'store' : 'datastore_name'],
    label: store,
  }
  const inNamespace: Level = {
    model: 'namespace',
    by: { datastore_name: store, path: namespace },
    fields: ['namespace'],
    label: namespace === '' ? '(root)' : namespace,
  }
  const inGroup: Level = {
    model: 'group',
    by: { datastore_name: store, namespace, backup_type: type, backup_id: id },
    fields: ['backup_id'],
    label: `${type}/${id}`,
  }
  const ofJob: Level = {
    model: 'job',
    by: { job_type: text('job_type'), job_id: text('job_id') },
    fields: ['job_id'],
    label: `${text('job_type')} ${text('job_id')}`,
  }
  switch (model) {
    case 'group':
      return [datastore, inNamespace]
    case 'snapshot':
      return [datastore, inNamespace, inGroup]
    case 'task':
      // The task of a backup names no namespace, so that its group may be in any.
      return [datastore, ...(namespace === '' ? [] : [inNamespace]), ...(text('job_id') === '' ? [] : [ofJob])]
    default:
      return [datastore]
  }
}

/** The first row of a list with these values, in an order; null: none. */
export const firstRow = (
  model: ModelName,
  by: Readonly<Record<string, unknown>>,
  more: { readonly filters?: ReadonlyArray<Filter>; readonly order?: string } = {},
): Effect.Effect<Row | null, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const lists = yield* InventoryLists
    const filters = Object.entries(by).map(
      ([field, value]): Filter => ({ field, lookup: 'exact', values: [value as string | number] }), // border: keys of a stored row
    )
    const { order } = more
    const { rows } = yield* lists.list({
      model,
      filters: [...filters, ...(more.filters ?? [])],
      search: null,
      order: order === undefined ? [] : [{ field: order.replace(/^-/, ''), descending: order.startsWith('-') }],
      page: { _tag: 'offset', limit: 1, offset: 0 },
    })
    return rows[0] === undefined ? null : anyRow(rows[0])
  })
