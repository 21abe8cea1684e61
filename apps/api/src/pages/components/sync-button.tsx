import { runsPage } from '../../rest/page-paths.ts'

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
