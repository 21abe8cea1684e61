import { addCosts, formatDay, noCost, type RequestCost } from '@netbox-pbs/core'
import type { DayCost } from '@netbox-pbs/core/ports'
import { runPage } from '../../rest/page-paths.ts'
import { formatBytes, formatCount, formatSeconds } from './format.ts'

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

/** What a server was asked today, in the last seven days and by its last run. Empty for one that never was. */
export const ServerCosts = ({ today, allowed, days, lastRun }: ServerCostsProps) => {
  if (days.length === 0 && lastRun === null) return null
  const weekBegins = formatDay(Date.parse(today) - 6 * dayMillis)
  const since = (first: string) => days.filter(({ day }) => day >= first).reduce<RequestCost>(addCosts, noCost)
  return (
    <section class="card">
      <div class="card-header">
        <h2 class="card-title">Requests to this server</h2>
      </div>
      <div class="table-responsive">
        <table class="table table-vcenter card-table">
          <thead>
            <tr>
              <th scope="col">
                <span class="visually-hidden">When</span>
              </th>
              {['Requests', 'Received', 'Waited', 'At once'].map((head) => (
                <th scope="col" class="text-end">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <tr>
              <th scope="row">Today (UTC){allowed === 0 ? '' : `, of ${formatCount(allowed)} allowed`}</th>
              <Cells cost={since(today)} />
            </tr>
            <tr>
              <th scope="row">Last 7 days</th>
              <Cells cost={since(weekBegins)} />
            </tr>
            {lastRun === null ? null : (
              <tr>
                <th scope="row">
                  <a href={runPage(lastRun.runId)}>Run {lastRun.runId}</a>
                </th>
                <Cells cost={lastRun.cost} />
              </tr>
            )}
          </tbody>
        </table>
      </div>
    </section>
  )
}

const Cells = ({ cost }: { cost: RequestCost }) => (
  <>
    {[
      formatCount(cost.requests),
      formatBytes(cost.bytes),
      formatSeconds(Math.round(cost.millis / 1000)),
      formatCount(cost.most_in_flight),
    ].map((text) => (
      <td class="text-end">{text}</td>
    ))}
  </>
)

/** A cost in one line. */
export const costText = ({ requests, bytes, millis, most_in_flight }: RequestCost): string =>
  `${formatCount(requests)} requests, ${formatBytes(bytes)}, ${formatSeconds(Math.round(millis / 1000))} of waiting, at most ${formatCount(most_in_flight)} at once`
