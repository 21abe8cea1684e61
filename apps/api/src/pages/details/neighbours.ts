import type { InventoryLists, StoreFailed } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { rowPage } from '../../rest/page-paths.ts'
import type { Row } from '../../rest/row.ts'
import type { PageBranch } from '../components/viewer.ts'
import { firstRow } from './ancestors.ts'

/** The pages of the snapshots of the same group before and after one; null: there is none. */
export interface Neighbours {
  readonly previous: string | null
  readonly next: string | null
}

/** The neighbours in time of a snapshot. */
export const neighbours = (
  { server, datastore_name, namespace, backup_type, backup_id, backup_time: time }: Row,
  branch: PageBranch,
): Effect.Effect<Neighbours, StoreFailed, InventoryLists> =>
  Effect.gen(function* () {
    const group = { server, datastore_name, namespace, backup_type, backup_id }
    const nearest = (lookup: 'lt' | 'gt') =>
      Effect.map(
        firstRow('snapshot', group, {
          filters: [{ field: 'backup_time', lookup, values: [String(time)] }],
          order: lookup === 'lt' ? '-backup_time' : 'backup_time',
        }),
        (row) => (row === null ? null : rowPage('snapshot', row.id, branch)),
      )
    return { previous: yield* nearest('lt'), next: yield* nearest('gt') }
  })
