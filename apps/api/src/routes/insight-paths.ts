import { Insights } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { knownServers } from '../inventory/find-row.ts'
import { nightFilter, servedNight } from '../records/insights.ts'
import { pageOf } from '../rest/envelope.ts'
import { nightsPath } from '../rest/links.ts'
import type { Path } from '../rest/route.ts'
import { recordList } from './record-list.ts'

const nightsRoute = recordList({
  path: nightsPath,
  operationId: 'plugins_pbs_insights_nights_list',
  tags: ['plugins'],
  description: 'How the backup tasks of the last 30 nights ended, by server, newest first',
  schema: 'NightList',
  filter: nightFilter,
  brief: ['night', 'server', 'known'],
  references: (_, named) => knownServers(named),
  read: (query) => Effect.flatMap(Insights, (insights) => insights.nights({ filter: query, ...pageOf(query) })),
  serve: (night, base) => servedNight(base, night),
})

/** Numbers for charts. */
export const insightPaths: ReadonlyArray<Path> = [{ byServer: true, routes: [nightsRoute] }]
