import { InventoryLists } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { listPage, rowPage } from '../../rest/page-paths.ts'
import { anyRow } from '../../rest/row.ts'
import { Alert } from '../components/alert.tsx'
import { certificateChanged } from '../details/certificate-alert.tsx'

/** Servers that the banner names; the list has them all. */
const mostNamed = 5

/** The banner of the overview: which servers present another certificate than is pinned. Null: none does. */
export const changedCertificates = Effect.gen(function* () {
  const lists = yield* InventoryLists
  const { rows, count } = yield* lists.list({
    model: 'server',
    filters: [{ field: 'tls_state', lookup: 'exact', values: ['fingerprint_changed'] }],
    search: null,
    order: [],
    page: { _tag: 'offset', limit: mostNamed, offset: 0 },
  })
  const changed = rows.map(anyRow).filter(certificateChanged)
  const more = (count ?? 0) - rows.length
  if (changed.length === 0 && more <= 0) return null
  return (
    <Alert kind="danger">
      <div>
        The certificate changed, so that nothing of it is read:{' '}
        {changed.map((row, i) => (
          <>
            {i === 0 ? '' : ', '}
            <a class="alert-link" href={rowPage('server', row.id)}>
              {row.serverName}
            </a>
          </>
        ))}
        {more > 0 ? (
          <>
            {' '}
            and{' '}
            <a class="alert-link" href={`${listPage('server')}?tls_state=fingerprint_changed`}>
              {more} more
            </a>
          </>
        ) : null}
        . Pin the new certificate on the server’s page, or find out why.
      </div>
    </Alert>
  )
})
