import { type HeldDeletions, type ScopeFields, scopes, scopeTitle, whyHeld } from '@netbox-pbs/core'
import type { SampledSet } from '../../records/held-deletions.ts'
import { confirmHeldPage, dismissHeldPage, listPage, rowPage } from '../../rest/page-paths.ts'
import { display } from '../../rest/row.ts'
import { HeldStateBadge } from '../components/badge.tsx'
import { DataTable, type TableColumn } from '../components/data-table.tsx'
import { formatCount, sentence } from '../components/format.ts'
import { Time } from '../components/time.tsx'
import type { Viewer } from '../components/viewer.ts'

/** The held deletions by scope: their number, reason and first rows, and the buttons to confirm or dismiss them. */
export const HeldTable = ({ sets, viewer }: { sets: ReadonlyArray<SampledSet>; viewer: Viewer }) => {
  const columns: ReadonlyArray<TableColumn<SampledSet>> = [
    {
      head: 'Scope',
      kind: 'prose',
      title: true,
      cell: (sampled) => (
        <>
          <div class="fw-medium">{scopeTitle(sampled.set.scope)}</div>
          <div class="text-secondary">{sentence(whyHeld[sampled.set.reason])}</div>
          <Samples {...sampled} />
        </>
      ),
    },
    { head: 'Rows', kind: 'number', cell: ({ set }) => formatCount(set.count) },
    { head: 'Missing since', cell: ({ set }) => <Time time={set.since} /> },
    {
      head: 'State',
      kind: 'name',
      cell: ({ set }) => (
        <>
          <HeldStateBadge state={set.state} />
          {set.decided === null ? null : (
            <div class="text-secondary">
              by {set.decided.by}, <Time time={set.decided.at} />
            </div>
          )}
        </>
      ),
    },
    {
      head: 'Decision',
      hidden: true,
      kind: 'actions',
      cell: ({ set }) => (viewer.operates ? <Decisions set={set} formToken={viewer.formToken} /> : null),
    },
  ]
  return <DataTable caption="Held deletions" columns={columns} rows={sets} empty="No held deletions." />
}

/** The first rows, collapsed to keep the table short. */
const Samples = ({ set, model, rows }: SampledSet) =>
  rows.length === 0 ? null : (
    <details class="mt-1">
      <summary>{rows.length < set.count ? `The first ${rows.length} of ${formatCount(set.count)}` : 'Rows'}</summary>
      <a href={missingRows(set)}>All as a list</a>
      <ul class="list-unstyled mb-0 mt-1">
        {rows.map((row) => (
          <li>
            <a href={rowPage(model, row.id)}>{display(model, row)}</a>
          </li>
        ))}
      </ul>
    </details>
  )

const Decisions = ({ set, formToken }: { set: HeldDeletions; formToken: string }) => {
  if (set.reason === 'children_held' && set.state === 'waiting' && !set.kept)
    return <span class="text-secondary">Deleted together with its children</span>
  const rows = set.count === 1 ? '1 row' : `${formatCount(set.count)} rows`
  const deletions = set.count === 1 ? '1 deletion' : `${formatCount(set.count)} deletions`
  const title = scopeTitle(set.scope)
  return (
    <div class="btn-list justify-content-end">
      {set.state === 'confirmed' ? null : (
        <details class="netbox-pbs-second">
          <summary class="btn btn-sm btn-outline-danger" aria-label={`Confirm ${deletions}… ${title}`}>
            Confirm {deletions}…
          </summary>
          <p class="text-start mb-2">
            {sentence(`${rows} ${set.count === 1 ? 'goes' : 'go'} from ${title}`)} The next complete list that still
            lacks {set.count === 1 ? 'it' : 'them'} deletes {set.count === 1 ? 'it' : 'them'}. Look at{' '}
            <a href={missingRows(set)}>all of them</a> first.
          </p>
          <Decision
            action={confirmHeldPage(set.id)}
            {...{ set, formToken, label: `Confirm ${deletions}`, kind: 'btn-danger' }}
            title={title}
          />
        </details>
      )}
      {set.state === 'dismissed' ? null : (
        <Decision
          action={dismissHeldPage(set.id)}
          {...{ set, formToken, label: `Keep ${rows}`, kind: '' }}
          title={title}
        />
      )}
    </div>
  )
}

/** The list of the rows that a scope's source no longer lists. */
function missingRows({ scope }: HeldDeletions): string {
  const { server, datastore, namespace, job_type }: ScopeFields = scope
  const { lists } = scopes[scope.resource]
  const parameters = new URLSearchParams({ missing_since__empty: 'false' })
  for (const [name, value] of Object.entries({ server, datastore_name: datastore, namespace, job_type }))
    if (value !== undefined) parameters.set(name, value)
  return `${listPage(lists)}?${parameters}`
}

/** The form sends the revision that it shows, so a decision never covers later changes. */
const Decision = (props: {
  action: string
  set: HeldDeletions
  formToken: string
  label: string
  kind: string
  title: string
}) => (
  <form method="post" action={props.action}>
    <input type="hidden" name="form_token" value={props.formToken} />
    <input type="hidden" name="revision" value={String(props.set.revision)} />
    <button class={`btn btn-sm text-nowrap ${props.kind}`} type="submit" aria-label={`${props.label}. ${props.title}`}>
      {props.label}
    </button>
  </form>
)
