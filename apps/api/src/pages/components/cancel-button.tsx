import type { Run } from '@netbox-pbs/core'
import { runPage } from '../../rest/page-paths.ts'

/** Cancels a run that is under way. */
export const CancelButton = ({ formToken, run }: { formToken: string; run: Run }) => (
  <form method="post" action={`${runPage(run.id)}cancel/`}>
    <input type="hidden" name="form_token" value={formToken} />
    <button class="btn btn-outline-danger" type="submit" disabled={run.cancel_requested}>
      {run.cancel_requested ? 'Being cancelled' : 'Cancel this run'}
    </button>
  </form>
)
