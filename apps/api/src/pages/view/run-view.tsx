import { type Run, type ScopeResult, scopeTitle, type Warning } from '@netbox-pbs/core'
import { Alert } from './alert.tsx'
import { formatCount, formatTime } from './format.ts'

const colors: Readonly<Record<string, string>> = {
  pending: 'secondary',
  running: 'blue',
  completed: 'green',
  incomplete: 'orange',
  failed: 'red',
  cancelled: 'secondary',
  landed: 'green',
  staged: 'cyan',
  unchanged: 'secondary',
  held_back: 'orange',
  skipped: 'yellow',
}

/** A state word in its colour. */
export const StateBadge = ({ state }: { state: string }) => {
  const color = colors[state] ?? 'secondary'
  return <span class={`badge bg-${color}-lt text-${color}-lt-fg`}>{state.replace('_', ' ')}</span>
}

/** Whether a run has not ended yet. */
export const isUnderWay = (run: Run): boolean => run.status === 'pending' || run.status === 'running'

/** Starts a sync of everything. */
export const SyncButton = ({ formToken }: { formToken: string }) => (
  <form method="post" action="/plugins/pbs/sync-runs/">
    <input type="hidden" name="form_token" value={formToken} />
    <button class="btn btn-primary" type="submit">
      Sync now
    </button>
  </form>
)

/** Runs, newest first. */
export const RunTable = ({ runs }: { runs: ReadonlyArray<Run> }) => (
  <div class="table-responsive">
    <table class="table table-vcenter card-table table-hover">
      <caption class="visually-hidden">Sync runs</caption>
      <thead>
        <tr>
          {[
            'Run',
            'Status',
            'Trigger',
            'User',
            'Started',
            'Ended',
            'Created',
            'Updated',
            'Deleted',
            'Unchanged',
            'Held back',
          ].map((head) => (
            <th scope="col">{head}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <tr>
            <td>
              <a href={`/plugins/pbs/sync-runs/${run.id}/`}>{run.id}</a>
            </td>
            <td>
              <StateBadge state={run.status} />
            </td>
            <td>{run.trigger}</td>
            <td>{run.user === '' ? '—' : run.user}</td>
            <td>{run.started === null ? '—' : formatTime(run.started)}</td>
            <td>{run.completed === null ? '—' : formatTime(run.completed)}</td>
            {[
              run.counts.created,
              run.counts.updated,
              run.counts.deleted,
              run.counts.unchanged,
              run.counts.held_back,
            ].map((count) => (
              <td>{formatCount(count)}</td>
            ))}
          </tr>
        ))}
        {runs.length === 0 ? (
          <tr>
            <td colspan={11} class="text-secondary text-center py-4">
              No run yet. “Sync now” starts one.
            </td>
          </tr>
        ) : null}
      </tbody>
    </table>
  </div>
)

/** One run: what it did, which scopes need a look, and why. Refreshes itself while it is under way. */
export const RunView = ({
  run,
  scopes,
  warnings,
}: {
  run: Run
  scopes: ReadonlyArray<ScopeResult>
  warnings: ReadonlyArray<Warning>
}) => {
  const path = `/plugins/pbs/sync-runs/${run.id}/`
  const polling = isUnderWay(run)
    ? { 'hx-get': path, 'hx-trigger': 'every 2s', 'hx-select': '#run', 'hx-target': '#run', 'hx-swap': 'outerHTML' }
    : {}
  return (
    <div id="run" class="row row-cards" aria-live="polite" {...polling}>
      <div class="col-12">
        {run.error === '' ? null : <Alert kind="danger">{run.error}</Alert>}
        <div class="card">
          <div class="card-body">
            <div class="datagrid">
              <Item title="Status">
                <StateBadge state={run.status} />
              </Item>
              <Item title="Rows read">{formatCount(run.rows_read)}</Item>
              {Object.entries(run.counts).map(([name, count]) => (
                <Item title={name.replace('_', ' ')}>{formatCount(count)}</Item>
              ))}
              <Item title="Started">{run.started === null ? '—' : formatTime(run.started)}</Item>
              <Item title="Ended">{run.completed === null ? '—' : formatTime(run.completed)}</Item>
              <Item title="Trigger">{run.user === '' ? run.trigger : `${run.trigger}, ${run.user}`}</Item>
              <Item title="Unchanged scopes">{formatCount(run.outcomes.unchanged)}</Item>
            </div>
          </div>
        </div>
      </div>
      <Scopes scopes={scopes} />
      {warnings.length === 0 ? null : <Warnings warnings={warnings} />}
    </div>
  )
}

const Item = ({ title, children }: { title: string; children?: unknown }) => (
  <div class="datagrid-item">
    <div class="datagrid-title">{title}</div>
    <div class="datagrid-content">{children}</div>
  </div>
)

const Scopes = ({ scopes }: { scopes: ReadonlyArray<ScopeResult> }) => (
  <div class="col-12">
    <div class="card">
      <h2 class="card-header card-title">Scopes that changed or need a look</h2>
      <div class="table-responsive">
        <table class="table card-table">
          <thead>
            <tr>
              {['Scope', 'Outcome', 'Why', 'Created', 'Updated', 'Deleted', 'Held back'].map((head) => (
                <th scope="col">{head}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {scopes.map(({ scope, outcome, reason, counts }) => (
              <tr>
                <td>{scopeTitle(scope)}</td>
                <td>
                  <StateBadge state={outcome} />
                </td>
                <td>{reason === null ? '—' : reason.message}</td>
                {[counts.created, counts.updated, counts.deleted, counts.held_back].map((count) => (
                  <td>{formatCount(count)}</td>
                ))}
              </tr>
            ))}
            {scopes.length === 0 ? (
              <tr>
                <td colspan={7} class="text-secondary text-center py-4">
                  None so far.
                </td>
              </tr>
            ) : null}
          </tbody>
        </table>
      </div>
    </div>
  </div>
)

const Warnings = ({ warnings }: { warnings: ReadonlyArray<Warning> }) => (
  <div class="col-12">
    <div class="card">
      <h2 class="card-header card-title">Warnings</h2>
      <ul class="list-group list-group-flush">
        {warnings.map(({ code, message, count }) => (
          <li class="list-group-item">
            {message} {count > 1 ? `(${formatCount(count)} times)` : ''} <span class="text-secondary">{code}</span>
          </li>
        ))}
      </ul>
    </div>
  </div>
)
