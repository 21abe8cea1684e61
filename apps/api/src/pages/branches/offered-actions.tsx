import type { Branch } from '@netbox-pbs/core'
import type { Child } from 'hono/jsx'
import type { BranchOffer, OfferedAction } from '../../branches/branch-offers.ts'
import { revertName } from '../../branches/read-branch-request.ts'
import { branchPage } from '../../rest/page-paths.ts'
import { formatCount } from '../components/format.ts'
import type { Viewer } from '../components/viewer.ts'

/** The texts of an action, and whether it offers a dry run. */
interface ActionTexts {
  readonly label: string
  readonly what: (branch: Branch) => string
  readonly dry?: true
  readonly kind?: string
}

const texts: Readonly<Record<OfferedAction, ActionTexts>> = {
  check: {
    label: 'Compare with main',
    what: () => 'Compares the branch with main and lists the conflicts. Changes neither.',
  },
  sync: {
    label: 'Rebase on main',
    what: () => 'Rebases the branch on main. Resolved conflicts are applied.',
    dry: true,
  },
  approve: {
    label: 'Approve',
    what: () => 'Approves the current revision. Any later change needs another approval.',
  },
  merge: {
    label: 'Merge into main',
    what: ({ changes }) =>
      `Lands ${changes === 1 ? '1 change' : `${formatCount(changes)} changes`} in main in one transaction.`,
    dry: true,
    kind: 'btn-primary',
  },
  revert: {
    label: 'Create revert branch',
    what: () =>
      'Creates a branch that reverts this one. Main changes when you merge it; later edits of main become conflicts.',
    dry: true,
  },
  close: {
    label: 'Close branch',
    what: ({ changes }) =>
      changes === 0
        ? 'Closes the branch.'
        : `Discards ${changes === 1 ? '1 change' : `${formatCount(changes)} changes`} permanently.`,
    kind: 'btn-outline-danger',
  },
}

/** The actions of a branch, each with its form or with the reason why it is not available. */
export const BranchActions = (props: { branch: Branch; offers: ReadonlyArray<BranchOffer>; viewer: Viewer }) => (
  <section class="card">
    <div class="card-header">
      <h2 class="card-title">Actions</h2>
    </div>
    {props.offers.length === 0 ? (
      <div class="card-body text-secondary">None: the branch is {props.branch.status.replace('_', ' ')}.</div>
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
  const { label, what } = texts[offer.action]
  const why = viewer.operates ? offer.why : 'You may not change this.'
  return (
    <li class="list-group-item">
      <div class="netbox-pbs-action">
        <div class="netbox-pbs-action-text">
          <div class="fw-medium">{label}</div>
          <div class="text-secondary">{what(branch)}</div>
          {why === null ? null : <div class="netbox-pbs-why">{why}</div>}
        </div>
        {why === null ? <ActionForm branch={branch} action={offer.action} formToken={viewer.formToken} /> : null}
      </div>
    </li>
  )
}

const ActionForm = (props: { branch: Branch; action: OfferedAction; formToken: string }) => {
  const { label, dry = false, kind = '' } = texts[props.action]
  const form = (
    <form class="netbox-pbs-buttons" method="post" action={`${branchPage(props.branch.id)}${props.action}/`}>
      <input type="hidden" name="form_token" value={props.formToken} />
      {fields(props)}
      <button class={`btn btn-sm ${kind}`} type="submit">
        {label}
      </button>
      {dry ? (
        <button class="btn btn-sm btn-ghost-secondary" type="submit" name="commit" value="false">
          Dry run
        </button>
      ) : null}
    </form>
  )
  // An action that cannot be undone needs a second click.
  return props.action === 'close' ? (
    <details class="netbox-pbs-second">
      <summary class="btn btn-sm">Close branch…</summary>
      {form}
    </details>
  ) : (
    form
  )
}

/** Further fields: the shown revision for an approval, the name of the new branch for a revert. */
function fields({ branch, action }: { branch: Branch; action: OfferedAction }): Child {
  if (action === 'approve') return <input type="hidden" name="revision" value={String(branch.revision)} />
  if (action !== 'revert') return null
  return (
    <input
      class="form-control form-control-sm"
      name="name"
      value={revertName(branch)}
      maxlength={100}
      aria-label="Name of the revert branch"
      autocomplete="off"
    />
  )
}
