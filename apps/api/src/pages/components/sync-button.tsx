import type { Run } from '@netbox-pbs/core'
import { runPage, runsPage } from '../../rest/page-paths.ts'

/** Starts a sync of everything, or of one server. */
export const SyncButton = ({ formToken, server }: { formToken: string; server?: string }) => (
  <form method="post" action={runsPage}>
    <input type="hidden" name="form_token" value={formToken} />
    {server === undefined ? null : <input type="hidden" name="server" value={server} />}
    <button class="btn btn-primary" type="submit">
      {server === undefined ? 'Sync now' : 'Sync this server'}
    </button>
  </form>
)

/** Cancels a run that is under way. */
export const CancelButton = ({ formToken, run }: { formToken: string; run: Run }) => (
  <form method="post" action={`${runPage(run.id)}cancel/`}>
    <input type="hidden" name="form_token" value={formToken} />
    <button class="btn btn-outline-danger" type="submit" disabled={run.cancel_requested}>
      {run.cancel_requested ? 'Being cancelled' : 'Cancel this run'}
    </button>
  </form>
)
