import type { Branch } from '@netbox-pbs/core'
import type { Child } from 'hono/jsx'
import type { BranchAction, BranchOffer } from '../../branches/branch-offers.ts'
import { revertName } from '../../branches/revert-name.ts'
import { branchPage } from '../paths.ts'
import { formatCount } from './format.ts'
import type { Viewer } from './viewer.ts'

/** What an action is called, what it does, and whether it can be tried without doing it. */
interface ActionTexts {
  readonly label: string
  readonly what: (branch: Branch) => string
  readonly dry?: true
  readonly kind?: string
}

const reported: Readonly<Record<BranchAction, ActionTexts>> = {
  check: {
    label: 'Compare',
    what: () => 'Compares the branch with main as it is now and lists what stands against it. Changes neither.',
  },
  sync: {
    label: 'Sync',
    what: () => 'Takes up what main has become: answered conflicts are settled in the branch as they were answered.',
    dry: true,
  },
  approve: {
    label: 'Approve',
    what: () => 'Says that it may land as it is now. Any later change of it asks for another approval.',
  },
  merge: {
    label: 'Merge',
    what: ({ changes }) =>
      `Lands ${changes === 1 ? 'its change' : `its ${formatCount(changes)} changes`} in main, all at once or not at all.`,
    dry: true,
    kind: 'btn-primary',
  },
  revert: {
    label: 'Revert',
    what: () =>
      'Opens a branch of what undoes this one. Main changes when that is merged; later edits of main are conflicts in it.',
    dry: true,
  },
  close: {
    label: 'Close',
    what: ({ changes }) =>
      changes === 0
        ? 'Ends the branch.'
        : `Gives up ${changes === 1 ? 'its change' : `its ${formatCount(changes)} changes`} for good.`,
    kind: 'btn-outline-danger',
  },
}

/** What can be done to a branch: each with a form, or with what stands in its way. */
export const BranchActions = (props: { branch: Branch; offers: ReadonlyArray<BranchOffer>; viewer: Viewer }) => (
  <section class="card">
    <div class="card-header">
      <h2 class="card-title">What can be done</h2>
    </div>
    {props.offers.length === 0 ? (
      <div class="card-body text-secondary">Nothing: it is {props.branch.status.replace('_', ' ')}.</div>
    ) : (
      <ul class="list-group list-group-flush">
        {props.offers.map((offer) => (
          <Offered {...props} offer={offer} />
        ))}
      </ul>
    )}
  </section>
)

const Offered = ({ branch, offer, viewer }: { branch: Branch; offer: BranchOffer; viewer: Viewer }) => {
  const { label, what } = reported[offer.action]
  const why = viewer.writes ? offer.why : 'Your token may read only.'
  return (
    <li class="list-group-item">
      <div class="netbox-pbs-action">
        <div class="netbox-pbs-told">
          <div class="fw-medium">{label}</div>
          <div class="text-secondary">{what(branch)}</div>
          {why === null ? null : <div class="netbox-pbs-why">{why}</div>}
        </div>
        {why === null ? <ActionForm branch={branch} action={offer.action} formToken={viewer.formToken} /> : null}
      </div>
    </li>
  )
}

const ActionForm = (props: { branch: Branch; action: BranchAction; formToken: string }) => {
  const { label, dry = false, kind = '' } = reported[props.action]
  const form = (
    <form class="netbox-pbs-buttons" method="post" action={`${branchPage(props.branch.id)}${props.action}/`}>
      <input type="hidden" name="form_token" value={props.formToken} />
      {fields(props)}
      <button class={`btn btn-sm ${kind}`} type="submit">
        {props.action === 'close' ? 'Close for good' : label}
      </button>
      {dry ? (
        <button class="btn btn-sm btn-ghost-secondary" type="submit" name="commit" value="false">
          Dry run
        </button>
      ) : null}
    </form>
  )
  // What cannot be taken back takes a second step.
  return props.action === 'close' ? (
    <details class="netbox-pbs-second">
      <summary class="btn btn-sm">Close…</summary>
      {form}
    </details>
  ) : (
    form
  )
}

/** An approval is sent with what was looked at; a revert with the name of the branch to be. */
function fields({ branch, action }: { branch: Branch; action: BranchAction }): Child {
  if (action === 'approve') return <input type="hidden" name="revision" value={String(branch.revision)} />
  if (action !== 'revert') return null
  return (
    <input
      class="form-control form-control-sm"
      name="name"
      value={revertName(branch)}
      maxlength={100}
      aria-label="Name of the branch that undoes this one"
      autocomplete="off"
    />
  )
}
