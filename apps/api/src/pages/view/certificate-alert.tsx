import type { Row } from '../../inventory/row.ts'
import { pinPage } from '../paths.ts'
import { Alert } from './alert.tsx'
import type { Viewer } from './viewer.ts'

/** Whether the last look at a server's certificate found another one than is pinned now. */
export const certificateChanged = (row: Row): boolean =>
  row['tls_state'] === 'fingerprint_changed' &&
  bare(String(row['fingerprint'])) !== bare(String(row['presented_fingerprint']))

/** What to do about a certificate that is not the pinned one; nothing for any other server. */
export const CertificateAlert = ({ row, viewer }: { row: Row; viewer: Viewer }) => {
  if (!certificateChanged(row)) return null
  const presented = String(row['presented_fingerprint'])
  return (
    <Alert kind="danger">
      <div class="w-100">
        <h2 class="alert-title">The certificate changed</h2>
        <p>
          Nothing is sent to this server, and its inventory stays as it was. If its certificate was renewed, compare the
          fingerprint with the dashboard of the server and accept it; if not, find out why: somebody may be in between.
        </p>
        <dl class="netbox-pbs-break">
          <dt>Pinned</dt>
          <dd>
            <code>{String(row['fingerprint'])}</code>
          </dd>
          <dt>Presented</dt>
          <dd>
            <code>{presented === '' ? 'unknown' : presented}</code>
          </dd>
        </dl>
        {viewer.writes && presented !== '' ? (
          <form method="post" action={pinPage(row.id)}>
            <input type="hidden" name="form_token" value={viewer.formToken} />
            <input type="hidden" name="fingerprint" value={presented} />
            <button class="btn btn-danger" type="submit">
              Accept the presented certificate
            </button>
          </form>
        ) : null}
      </div>
    </Alert>
  )
}

/** Fingerprints are the same with and without colons, in either case. */
const bare = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase()
