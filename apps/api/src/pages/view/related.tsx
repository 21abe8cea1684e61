import { type ModelName, registry } from '@netbox-pbs/core'
import type { ServedRow } from '@netbox-pbs/core/ports'

/** Lists below a row, and the columns that narrow them to it. */
const below: Readonly<
  Partial<
    Record<
      ModelName,
      (row: Readonly<Record<string, unknown>>) => ReadonlyArray<readonly [ModelName, Readonly<Record<string, string>>]>
    >
  >
> = {
  server: ({ id }) => {
    const server_id = String(id)
    return [
      ['datastore', { server_id }],
      ['namespace', { server_id }],
      ['group', { server_id }],
      ['snapshot', { server_id }],
      ['job', { server_id }],
    ]
  },
  datastore: ({ server, name }) => {
    const narrowed = { server_id: String(server), datastore_name: String(name) }
    return [
      ['namespace', narrowed],
      ['group', narrowed],
      ['snapshot', narrowed],
      ['job', { server_id: String(server), store: String(name) }],
    ]
  },
  namespace: ({ server, datastore_name, path }) => {
    const narrowed = { server_id: String(server), datastore_name: String(datastore_name), namespace: String(path) }
    return [
      ['group', narrowed],
      ['snapshot', narrowed],
    ]
  },
  group: ({ server, datastore_name, namespace, backup_type, backup_id }) => [
    [
      'snapshot',
      {
        server_id: String(server),
        datastore_name: String(datastore_name),
        namespace: String(namespace),
        backup_type: String(backup_type),
        backup_id: String(backup_id),
      },
    ],
  ],
}

/** Links from a row to the lists of what lies below it. */
export const Related = ({ name, row }: { name: ModelName; row: ServedRow }) => {
  const values: Readonly<Record<string, unknown>> = row
  const lists = below[name]?.(values) ?? []
  if (lists.length === 0) return null
  return (
    <div class="col-md-6">
      <div class="card">
        <h2 class="card-header card-title">Related</h2>
        <div class="list-group list-group-flush">
          {lists.map(([model, parameters]) => (
            <a
              class="list-group-item list-group-item-action"
              href={`/plugins/pbs/${registry[model].path}/?${new URLSearchParams(parameters)}`}
            >
              {registry[model].labelPlural}
            </a>
          ))}
        </div>
      </div>
    </div>
  )
}
