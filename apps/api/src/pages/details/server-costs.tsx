import { addCosts, formatDay, noCost, type RequestCost } from '@netbox-pbs/core'
import type { DayCost } from '@netbox-pbs/core/ports'
import type { Child } from 'hono/jsx'
import { runPage } from '../../rest/page-paths.ts'
import { DataTable, type TableColumn } from '../components/data-table.tsx'
import { formatBytes, formatCount, formatSeconds } from '../components/format.ts'

/** What a server was asked. */
export interface ServerCostsProps {
  /** The present day in UTC, like `2026-05-01`. */
  readonly today: string
  /** Requests that the settings allow on a day; 0: no ceiling. */
  readonly allowed: number
  /** The last days on which it was asked, newest first. */
  readonly days: ReadonlyArray<DayCost>
  /** Null: no run that is kept has asked it. */
  readonly lastRun: { readonly runId: number; readonly cost: RequestCost } | null
}

const dayMillis = 86_400_000

/** What was asked in a time. */
interface Line {
  readonly when: Child
  readonly cost: RequestCost
}

const columns: ReadonlyArray<TableColumn<Line>> = [
  { head: 'When', hidden: true, kind: 'place', title: true, cell: ({ when }) => when },
  { head: 'Requests', kind: 'number', cell: ({ cost }) => formatCount(cost.requests) },
  { head: 'Received', kind: 'number', cell: ({ cost }) => formatBytes(cost.bytes) },
  { head: 'Waited', kind: 'number', cell: ({ cost }) => formatSeconds(Math.round(cost.millis / 1000)) },
  { head: 'At once', kind: 'number', cell: ({ cost }) => formatCount(cost.most_in_flight) },
]

/** What a server was asked today, in the last seven days and by its last run. Empty for one that never was. */
export const ServerCosts = ({ today, allowed, days, lastRun }: ServerCostsProps) => {
  if (days.length === 0 && lastRun === null) return null
  const weekBegins = formatDay(Date.parse(today) - 6 * dayMillis)
  const since = (first: string) => days.filter(({ day }) => day >= first).reduce<RequestCost>(addCosts, noCost)
  const lines: ReadonlyArray<Line> = [
    { when: `Today (UTC)${allowed === 0 ? '' : `, of ${formatCount(allowed)} allowed`}`, cost: since(today) },
    { when: 'Last 7 days', cost: since(weekBegins) },
    ...(lastRun === null
      ? []
      : [{ when: <a href={runPage(lastRun.runId)}>Run {lastRun.runId}</a>, cost: lastRun.cost }]),
  ]
  return (
    <section class="card">
      <div class="card-header">
        <h2 class="card-title">Requests to this server</h2>
      </div>
      <DataTable caption="Requests to this server" columns={columns} rows={lines} empty="None." />
    </section>
  )
}

/** A cost in one line. */
export const costText = ({ requests, bytes, millis, most_in_flight }: RequestCost): string =>
  `${formatCount(requests)} requests, ${formatBytes(bytes)}, ${formatSeconds(Math.round(millis / 1000))} of waiting, at most ${formatCount(most_in_flight)} at once`
