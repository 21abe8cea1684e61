import { DatastoreUsage } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { findRow } from '../inventory/find-row.ts'
import { UsagePoint } from '../records/server.ts'
import { listPath } from '../rest/links.ts'
import { recordFilter } from '../rest/read-filter.ts'
import type { Path } from '../rest/route.ts'
import { recordListOf } from './record-list.ts'

const usageRoute = recordListOf({
  path: `${listPath('datastore')}{id}/usage/`,
  operationId: 'plugins_pbs_datastores_usage_list',
  description: 'Usage of the datastore, newest first',
  schema: 'UsagePointList',
  branched: true,
  filter: recordFilter(UsagePoint),
  owner: (c) => findRow('datastore', c),
  read: ({ id }, page) => Effect.flatMap(DatastoreUsage, (usage) => usage.points({ datastoreId: id, ...page })),
  serve: ({ time, used_bytes, total_bytes }) => ({ time, used_bytes, total_bytes }),
})

/** The usage history of datastores. Observations are not branched, but the set of datastores is. */
export const datastorePaths: ReadonlyArray<Path> = [{ branch: 'branch', byServer: true, routes: [usageRoute] }]
