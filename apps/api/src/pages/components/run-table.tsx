import { type RowCounts, type Run, stagedChanges } from '@netbox-pbs/core'
import { runPage } from '../../rest/page-paths.ts'
import { RunState } from './badge.tsx'
import { Nothing } from './cell.tsx'
import { EmptyRow } from './empty-row.tsx'
import { formatCount, formatDuration, formatTime } from './format.ts'

const counted: ReadonlyArray<readonly [keyof RowCounts, string]> = [
  ['created', 'Created'],
  ['updated', 'Updated'],
  ['deleted', 'Deleted'],
  ['unchanged', 'Unchanged'],
  ['held_back', 'Held'],
]

/** Runs, newest first. `empty` is shown when there are none. */
export const RunTable = ({ runs, empty }: { runs: ReadonlyArray<Run>; empty: string }) => (
  <div class="table-responsive">
    <table class="table table-vcenter card-table table-hover netbox-pbs-list">
      <caption class="visually-hidden">Sync runs</caption>
      <thead>
        <tr>
          {['Run', 'Status', 'Servers', 'Started', 'Took', 'By'].map((head) => (
            <th scope="col">{head}</th>
          ))}
          {counted.map(([, head]) => (
            <th scope="col" class="text-end">
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <tr>
            <td>
              <a class="fw-medium text-nowrap" href={runPage(run.id)}>
                Run {run.id}
              </a>
            </td>
            <td>
              <RunState state={run.status} />
              {stagedChanges(run.staged) === 0 ? null : (
                <div class="text-secondary text-nowrap">{formatCount(stagedChanges(run.staged))} wait in a branch</div>
              )}
            </td>
            <td class="netbox-pbs-clip">{coveredServers(run)}</td>
            <td class="text-nowrap">{run.started === null ? <Nothing /> : formatTime(run.started)}</td>
            <td class="text-nowrap">
              {run.started === null || run.completed === null ? (
                <Nothing />
              ) : (
                formatDuration(run.started, run.completed)
              )}
            </td>
            <td>{startedBy(run)}</td>
            {counted.map(([name]) => (
              <td class="text-end">{formatCount(run.counts[name])}</td>
            ))}
          </tr>
        ))}
        {runs.length === 0 ? <EmptyRow columns={6 + counted.length}>{empty}</EmptyRow> : null}
      </tbody>
    </table>
  </div>
)

/** The servers of a run in words. */
export const coveredServers = ({ servers }: Run): string => (servers === null ? 'all' : servers.join(', '))

/** The user or trigger that started a run, in words. */
export const startedBy = ({ trigger, user }: Run): string => (user === '' ? trigger : user)
