import { pinPage } from '../../rest/page-paths.ts'
import type { Row } from '../../rest/row.ts'
import { Alert } from '../components/alert.tsx'
import type { Viewer } from '../components/viewer.ts'

/** Whether the last look at a server's certificate found another one than is pinned now. */
export const certificateChanged = (row: Row): boolean =>
  row['tls_state'] === 'fingerprint_changed' &&
  bare(String(row['fingerprint'])) !== bare(String(row['presented_fingerprint']))

/** Whether the last look at a server found a certificate that does not verify, with none pinned since. */
const certificateUntrusted = (row: Row): boolean => row['tls_state'] === 'untrusted' && row['fingerprint'] === ''

/** The next steps for a certificate that is not the pinned one, or does not verify; empty for any other server. */
export const CertificateAlert = ({ row, viewer }: { row: Row; viewer: Viewer }) => {
  const changed = certificateChanged(row)
  if (!changed && !certificateUntrusted(row)) return null
  const presented = String(row['presented_fingerprint'])
  return (
    <Alert kind="danger">
      <div class="w-100">
        <h2 class="alert-title">{titleOf(row, changed)}</h2>
        <p>
          Nothing is sent to this server, and its inventory stays as it was.{' '}
          {changed && neverRead(row)
            ? 'No certificate of this server has ever matched. Compare what it presents with the dashboard of the server: pin it if they are equal, and correct the host if they are not.'
            : changed
              ? 'If its certificate was renewed, compare the fingerprint with the dashboard of the server and pin it; if not, find out why: another machine may be intercepting the connection.'
              : 'Compare the fingerprint with the dashboard of the server and pin it, or install a certificate that a known authority has signed.'}
        </p>
        <dl class="netbox-pbs-break">
          <dt>Pinned</dt>
          <dd>
            <code>{changed ? String(row['fingerprint']) : 'none'}</code>
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
              Pin the presented certificate
            </button>
          </form>
        ) : null}
      </div>
    </Alert>
  )
}

/** Whether no contact with a server has ever come about, so that its pin has never matched. */
const neverRead = (row: Row): boolean => row['last_seen_at'] === null

const titleOf = (row: Row, changed: boolean): string => {
  if (!changed) return 'The certificate does not verify'
  return neverRead(row)
    ? 'The fingerprint you entered is not the one that the server presents'
    : 'The certificate changed'
}

/** Fingerprints are the same with and without colons, in either case. */
const bare = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase()
