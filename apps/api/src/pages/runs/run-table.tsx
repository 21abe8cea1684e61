import { type RowCounts, type Run, stagedChanges } from '@netbox-pbs/core'
import { runPage } from '../../rest/page-paths.ts'
import { RunState } from '../components/badge.tsx'
import { DataTable, type TableColumn } from '../components/data-table.tsx'
import { formatCount, formatDuration } from '../components/format.ts'
import { Time } from '../components/time.tsx'

const counted: ReadonlyArray<readonly [keyof RowCounts, string]> = [
  ['created', 'Created'],
  ['updated', 'Updated'],
  ['deleted', 'Deleted'],
  ['held_back', 'Held'],
]

const columns: ReadonlyArray<TableColumn<Run>> = [
  {
    head: 'Run',
    title: true,
    cell: ({ id }) => (
      <a class="fw-medium text-nowrap" href={runPage(id)}>
        Run {id}
      </a>
    ),
  },
  {
    head: 'Status',
    cell: ({ status, staged }) => (
      <>
        <RunState state={status} />
        {stagedChanges(staged) === 0 ? null : (
          <div class="text-secondary text-nowrap">{formatCount(stagedChanges(staged))} wait in a branch</div>
        )}
      </>
    ),
  },
  { head: 'Servers', kind: 'text', cell: (run) => <span title={coveredServers(run)}>{coveredServers(run)}</span> },
  { head: 'Started', cell: ({ started }) => (started === null ? null : <Time time={started} />) },
  {
    head: 'Took',
    cell: ({ started, completed }) =>
      started === null || completed === null ? null : formatDuration(started, completed),
  },
  { head: 'By', kind: 'name', cell: (run) => startedBy(run) },
  ...counted.map(([name, head]): TableColumn<Run> => {
    return { head, kind: 'number', cell: ({ counts }) => formatCount(counts[name]) }
  }),
]

/** Runs, newest first. `empty` is shown when there are none. */
export const RunTable = ({ runs, empty }: { runs: ReadonlyArray<Run>; empty: string }) => (
  <DataTable caption="Sync runs" columns={columns} rows={runs} empty={empty} />
)

/** The servers of a run in words. */
export const coveredServers = ({ servers }: Run): string => (servers === null ? 'all' : servers.join(', '))

/** The user or trigger that started a run, in words. */
export const startedBy = ({ trigger, user }: Run): string => (user === '' ? trigger : user)
