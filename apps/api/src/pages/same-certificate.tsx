import { InventoryLists } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { rowPage } from '../rest/page-paths.ts'
import { anyRow, type Row } from '../rest/row.ts'
import { Alert } from './components/alert.tsx'

/** Servers that the alert names. */
const mostNamed = 5

/**
 * Says that another server has the certificate of this one pinned, so that both may be one PBS under
 * two names. Null: none has.
 */
export const sameCertificate = ({ id, fingerprint }: Row) =>
  Effect.gen(function* () {
    if (typeof fingerprint !== 'string' || fingerprint === '') return null
    const { rows } = yield* (yield* InventoryLists).list({
      model: 'server',
      filters: [{ field: 'fingerprint', lookup: 'exact', values: [fingerprint] }],
      search: null,
      order: [],
      page: { _tag: 'offset', limit: mostNamed + 1, offset: 0 },
    })
    const others = rows.map(anyRow).filter((other) => other.id !== id)
    if (others.length === 0) return null
    return (
      <Alert kind="warning">
        <div>
          The same certificate is pinned for{' '}
          {others.slice(0, mostNamed).map((other, i) => (
            <>
              {i === 0 ? '' : ', '}
              <a class="alert-link" href={rowPage('server', other.id)}>
                {other.serverName}
              </a>
            </>
          ))}
          . If that is this PBS under another name, its backups are read and counted twice: remove one of the two.
        </div>
      </Alert>
    )
  })
