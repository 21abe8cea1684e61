import { type Filter, type HeldSet, listedModel, type ModelName, type Scope } from '@netbox-pbs/core'
import { InventoryLists, type StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { anyRow, type Row } from '../inventory/row.ts'

/** Rows of a held set that are shown; its count says how many there are. */
export const sampleSize = 10

/** A held set with the first of its rows, which are of `model`. */
export interface SampledSet {
  readonly set: HeldSet
  readonly model: ModelName
  readonly rows: ReadonlyArray<Row>
}

/** Reads the first rows of a held set: those of its scope that are missing. */
export const sampleRows = (set: HeldSet): Effect.Effect<SampledSet, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const { scope } = set
    const lists = yield* InventoryLists
    const model = listedModel[scope.resource]
    const name = scope.resource === 'servers' ? null : scope.server
    const id = name === null ? undefined : (yield* lists.serverIds({ names: [name] })).get(name)
    if (id === undefined) return { set, model, rows: [] }
    const filters = [
      exactly('server', id),
      ...narrowed(scope),
      { field: 'missing_since', lookup: 'empty', values: [false] } as const,
    ]
    const page = { _tag: 'cursor', limit: sampleSize, start: 0 } as const
    const found = yield* lists.list({ model, filters, search: null, order: [], page })
    return { set, model, rows: found.rows.map((row) => anyRow(row)) }
  })

const exactly = (field: string, value: string | number): Filter => ({ field, lookup: 'exact', values: [value] })

/** What narrows a scope within its server, as filters of its model. */
function narrowed(scope: Scope): ReadonlyArray<Filter> {
  switch (scope.resource) {
    case 'servers':
    case 'datastores':
    case 'tasks':
      return []
    case 'namespaces':
      return [exactly('datastore_name', scope.datastore)]
    case 'snapshots':
      return [exactly('datastore_name', scope.datastore), exactly('namespace', scope.namespace)]
    case 'jobs':
      return [exactly('job_type', scope.job_type)]
  }
}
