import { Effect } from 'effect'
import { rowPage } from '../../rest/page-paths.ts'
import type { Row } from '../../rest/row.ts'
import { twinsOf } from '../../servers/same-certificate.ts'
import { Alert } from '../components/alert.tsx'

/**
 * Says that another server has the certificate of this one pinned, so that both may be one PBS under
 * two names. Null: none has.
 */
export const sameCertificate = ({ id, fingerprint }: Row) =>
  Effect.map(twinsOf({ id, fingerprint: typeof fingerprint === 'string' ? fingerprint : '' }), (others) =>
    others.length === 0 ? null : (
      <Alert kind="warning">
        <div>
          The same certificate is pinned for{' '}
          {others.map((other, i) => (
            <>
              {i === 0 ? '' : ', '}
              <a class="alert-link" href={rowPage('server', other.id)}>
                {other.name}
              </a>
            </>
          ))}
          . If that is this PBS under another name, its backups are read and counted twice: remove one of the two.
        </div>
      </Alert>
    ),
  )
