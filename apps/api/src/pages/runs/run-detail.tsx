import {
  type Branch,
  type Run,
  type RunJob,
  type ScopeFilter,
  type ScopeResult,
  scopeTitle,
  stagedChanges,
  type Warning,
} from '@netbox-pbs/core'
import type { Child } from 'hono/jsx'
import type { SampledSet } from '../../records/held-deletions.ts'
import { branchPage, heldPage } from '../../rest/page-paths.ts'
import { Alert } from '../components/alert.tsx'
import { BranchStatusBadge, isUnderWay, RunState } from '../components/badge.tsx'
import { Nothing } from '../components/cell.tsx'
import { DataTable, type TableColumn } from '../components/data-table.tsx'
import { formatCount, formatDuration } from '../components/format.ts'
import { Pager, type PagerProps } from '../components/pager.tsx'
import { Time } from '../components/time.tsx'
import type { Viewer } from '../components/viewer.ts'
import { costText } from '../details/server-costs.tsx'
import { HeldTable } from '../held/held-table.tsx'
import { coveredServers, startedBy } from './run-table.tsx'

/** The data of a run page. */
export interface RunDetailProps {
  readonly run: Run
  readonly scopes: ReadonlyArray<ScopeResult>
  readonly warnings: ReadonlyArray<Warning>
  /** The branches that the run staged into. */
  readonly branches: ReadonlyArray<Branch>
  /** Failed jobs, including those that will be retried. */
  readonly jobs: ReadonlyArray<RunJob>
  /** The first held deletions of the run that still exist, and their total number. */
  readonly held: { readonly sets: ReadonlyArray<SampledSet>; readonly count: number; readonly viewer: Viewer }
  /** The page of the list of scopes. */
  readonly pager: PagerProps
}

/**
 * One run: its changes, and the scopes that changed or need attention, with reasons. The page
 * reloads itself while the run is active.
 */
export const RunDetail = ({ run, scopes, warnings, branches, jobs, held, pager }: RunDetailProps) => {
  const here = `${pager.path}?${pager.parameters}`
  const polling = isUnderWay(run)
    ? {
        'hx-get': here,
        'hx-trigger': 'every 1s',
        'hx-select': '#run',
        // The button that cancels goes with the end of the run.
        'hx-select-oob': '#run-actions',
        'hx-target': '#run',
        'hx-swap': 'outerHTML show:none',
      }
    : {}
  return (
    <div id="run" class="netbox-pbs-stack" {...polling}>
      {run.error === '' ? null : <Alert kind="danger">{run.error}</Alert>}
      <section class="card">
        {isUnderWay(run) ? (
          <div class="progress progress-sm card-progress">
            <div class="progress-bar progress-bar-indeterminate" />
          </div>
        ) : null}
        <div class="card-body">
          <dl class="datagrid m-0">
            <Item title="Status">
              <span role="status">
                <RunState state={run.status} />
              </span>
            </Item>
            <Item title="Rows read">{formatCount(run.rows_read)}</Item>
            {run.cost.requests === 0 ? null : <Item title="Load on PBS">{costText(run.cost)}</Item>}
            {Object.entries(run.counts).map(([name, count]) => (
              <Item title={name.replace('_', ' ')}>{formatCount(count)}</Item>
            ))}
            {stagedChanges(run.staged) === 0 ? null : (
              <Item title="Wait in a branch">
                {`${formatCount(run.staged.created)} created, ${formatCount(run.staged.updated)} updated, ${formatCount(run.staged.deleted)} deleted`}
              </Item>
            )}
            <Item title="Unchanged scopes">{formatCount(run.outcomes.unchanged)}</Item>
            <Item title="Started">{run.started === null ? <Nothing /> : <Time time={run.started} form="exact" />}</Item>
            <Item title="Took">
              {run.started === null || run.completed === null ? (
                <Nothing />
              ) : (
                formatDuration(run.started, run.completed)
              )}
            </Item>
            <Item title="Started by">{startedBy(run)}</Item>
            <Item title="Covers">{run.resources.join(', ')}</Item>
            <Item title="Snapshots">{run.mode === 'light' ? 'of changed groups' : 'of all groups'}</Item>
            <Item title="Servers">{coveredServers(run)}</Item>
            {branches.length === 0 ? null : (
              <Item title={branches.length === 1 ? 'Branch' : 'Branches'}>
                {branches.map((branch) => (
                  <div class="netbox-pbs-break">
                    <a href={branchPage(branch.id)}>{branch.name}</a> <BranchStatusBadge status={branch.status} />
                  </div>
                ))}
              </Item>
            )}
            {run.scope_filter === null ? null : <Item title="Only">{scopeFilterText(run.scope_filter)}</Item>}
          </dl>
        </div>
      </section>
      {jobs.length === 0 ? null : <FailedJobs jobs={jobs} />}
      {held.count === 0 ? null : <HeldBack {...held} />}
      <Scopes scopes={scopes} pager={pager} underWay={isUnderWay(run)} />
      {warnings.length === 0 ? null : <Warnings warnings={warnings} />}
    </div>
  )
}

const Item = ({ title, children }: { title: string; children?: Child }) => (
  <div class="datagrid-item">
    <dt class="datagrid-title">{title}</dt>
    <dd class="datagrid-content m-0">{children}</dd>
  </div>
)

const jobColumns: ReadonlyArray<TableColumn<RunJob>> = [
  { head: 'Server', kind: 'name', title: true, cell: ({ server }) => server ?? 'The gateway' },
  { head: 'State', cell: ({ state }) => <RunState state={state} /> },
  { head: 'Tries', kind: 'number', cell: ({ tries }) => formatCount(tries) },
  { head: 'Why', kind: 'prose', cell: ({ error }) => error || null },
]

const FailedJobs = ({ jobs }: { jobs: ReadonlyArray<RunJob> }) => (
  <section class="card">
    <div class="card-header">
      <h2 class="card-title">Failed jobs</h2>
    </div>
    <DataTable caption="Failed jobs" columns={jobColumns} rows={jobs} empty="None." />
  </section>
)

/** Which scopes of its servers a run covers, in words. */
const scopeFilterText = ({ datastores, namespaces, job_types }: ScopeFilter): string =>
  [
    ...(datastores === undefined ? [] : [`datastore ${datastores.join(', ')}`]),
    ...(namespaces === undefined ? [] : [`namespace ${namespaces.map((path) => path || '(root)').join(', ')}`]),
    ...(job_types === undefined ? [] : [`${job_types.join(', ')} jobs`]),
  ].join(', ')

const HeldBack = ({ sets, count, viewer }: RunDetailProps['held']) => (
  <section class="card">
    <div class="card-header">
      <h2 class="card-title">Held deletions</h2>
      {count > sets.length ? (
        <div class="card-actions">
          <a href={heldPage}>
            The first {sets.length} of {formatCount(count)}
          </a>
        </div>
      ) : null}
    </div>
    <HeldTable sets={sets} viewer={viewer} />
  </section>
)

const scopeColumns: ReadonlyArray<TableColumn<ScopeResult>> = [
  { head: 'Scope', kind: 'place', title: true, cell: ({ scope }) => scopeTitle(scope) },
  { head: 'Outcome', cell: ({ outcome }) => <RunState state={outcome} /> },
  { head: 'Why', kind: 'prose', cell: ({ reason }) => reason?.message ?? null },
  ...(['created', 'updated', 'deleted', 'held_back'] as const).map(
    (name): TableColumn<ScopeResult> => ({
      head: { created: 'Created', updated: 'Updated', deleted: 'Deleted', held_back: 'Held' }[name],
      kind: 'number',
      cell: ({ counts }) => formatCount(counts[name]),
    }),
  ),
]

const Scopes = ({
  scopes,
  pager,
  underWay,
}: {
  scopes: ReadonlyArray<ScopeResult>
  pager: PagerProps
  underWay: boolean
}) => (
  <section class="card">
    <div class="card-header">
      <h2 class="card-title">Scopes that changed or need attention</h2>
    </div>
    <DataTable
      caption="Scopes that changed or need attention"
      columns={scopeColumns}
      rows={scopes}
      empty={underWay ? 'None so far.' : 'None. Nothing changed.'}
    />
    {pager.count > pager.limit ? <Pager {...pager} /> : null}
  </section>
)

const Warnings = ({ warnings }: { warnings: ReadonlyArray<Warning> }) => (
  <section class="card">
    <div class="card-header">
      <h2 class="card-title">Warnings</h2>
    </div>
    <ul class="list-group list-group-flush">
      {warnings.map(({ code, scope, message, count }) => (
        <li class="list-group-item">
          {message}
          <div class="text-secondary">
            {code}
            {scope === null ? '' : ` · ${scopeTitle(scope)}`}
            {count > 1 ? ` · ${formatCount(count)} times` : ''}
          </div>
        </li>
      ))}
    </ul>
  </section>
)
