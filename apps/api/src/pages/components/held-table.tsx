import { type HeldDeletions, scopeTitle, whyHeld } from '@netbox-pbs/core'
import type { SampledSet } from '../../held/sample-rows.ts'
import { display } from '../../inventory/display.ts'
import { confirmHeldPage, dismissHeldPage, rowPage } from '../paths.ts'
import { sentence } from './capitalize.ts'
import { formatCount, formatTime } from './format.ts'
import { HeldStateBadge } from './held-state.tsx'
import type { Viewer } from './viewer.ts'

/** Held deletions: what each holds and why, some of its rows, and the two decisions. */
export const HeldTable = ({ sets, viewer }: { sets: ReadonlyArray<SampledSet>; viewer: Viewer }) => (
  <div class="table-responsive">
    <table class="table table-vcenter card-table">
      <caption class="visually-hidden">Held-back deletions</caption>
      <thead>
        <tr>
          {['Scope', 'Rows', 'Missing since', 'State', ''].map((head) => (
            <th scope="col">{head}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {sets.map((sampled) => (
          <HeldRow sampled={sampled} viewer={viewer} />
        ))}
        {sets.length === 0 ? (
          <tr>
            <td colspan={5} class="text-secondary text-center py-5">
              Nothing waits for a decision.
            </td>
          </tr>
        ) : null}
      </tbody>
    </table>
  </div>
)

const HeldRow = ({ sampled, viewer }: { sampled: SampledSet; viewer: Viewer }) => {
  const { set } = sampled
  return (
    <tr>
      <td class="netbox-pbs-break">
        <div class="fw-medium">{scopeTitle(set.scope)}</div>
        <div class="text-secondary">{sentence(whyHeld[set.reason])}</div>
        <Samples {...sampled} />
      </td>
      <td>{formatCount(set.count)}</td>
      <td>
        <time class="text-nowrap" datetime={set.since}>
          {formatTime(set.since)}
        </time>
      </td>
      <td>
        <HeldStateBadge state={set.state} />
        {set.decided === null ? null : (
          <div class="text-secondary">
            by {set.decided.by}, {formatTime(set.decided.at)}
          </div>
        )}
      </td>
      <td class="text-end">{viewer.writes ? <Decisions set={set} formToken={viewer.formToken} /> : null}</td>
    </tr>
  )
}

/** The first rows, folded away: the count comes first, and the table stays short. */
const Samples = ({ set, model, rows }: SampledSet) =>
  rows.length === 0 ? null : (
    <details class="mt-1">
      <summary>{rows.length < set.count ? `The first ${rows.length} of ${formatCount(set.count)}` : 'Which'}</summary>
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
    return <span class="text-secondary">Goes with the rows below it</span>
  const rows = set.count === 1 ? '1 row' : `${formatCount(set.count)} rows`
  const title = scopeTitle(set.scope)
  return (
    <div class="btn-list justify-content-end flex-nowrap">
      {set.state === 'confirmed' ? null : (
        <Decision
          action={confirmHeldPage(set.id)}
          {...{ set, formToken, label: 'Confirm deletion', kind: 'btn-outline-danger' }}
          title={`Delete ${rows}: ${title}`}
        />
      )}
      {set.state === 'dismissed' ? null : (
        <Decision
          action={dismissHeldPage(set.id)}
          {...{ set, formToken, label: 'Keep', kind: '' }}
          title={`Keep ${rows}: ${title}`}
        />
      )}
    </div>
  )
}

/** A decision is sent with the revision it was taken on: what has changed since is not decided. */
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
