import { Badge } from '../components/badge.tsx'
import { formatBytes, formatTime } from '../components/format.ts'
import type { Presentation } from './presentation.ts'
import { placeFields } from './words.tsx'

/** How pages show datastores. */
export const datastorePresentation: Presentation<'datastore'> = {
  columns: ['name', 'server', 'used_bytes', 'avail_bytes', 'estimated_full_at', 'gc_status', 'maintenance', 'comment'],
  title: 'name',
  fields: {
    ...placeFields,
    name: { kind: 'name' },
    used_bytes: {
      head: 'Used',
      cell: ({ used_bytes: used, total_bytes: total, backend_type: backend, usage_at: at, last_seen_at: seen }) => {
        if (typeof used === 'number' && typeof total === 'number')
          return (
            <>
              <Usage used={used} total={total} />
              {isBefore(at, seen) ? (
                <Badge
                  color="orange"
                  label={`as of ${formatTime(String(at))}`}
                  title="The datastore was listed since, without its size"
                />
              ) : null}
            </>
          )
        if (backend !== 's3' || typeof used === 'number') return undefined
        return (
          <span class="text-secondary" title="PBS measures only the disk of the cache of a datastore in S3">
            unknown (S3)
          </span>
        )
      },
    },
    total_bytes: { head: 'Size' },
    avail_bytes: { head: 'Free' },
    estimated_full_at: { head: 'Full' },
    gc_status: { head: 'GC' },
    maintenance: { kind: 'name' },
    comment: { kind: 'text' },
    last_seen_at: { head: 'Seen' },
  },
  technical: ['last_seen_at', 'missing_since', 'usage_at'],
  filters: ['server', 'gc_status', 'backend_type', 'mount_status'],
}

const isBefore = (time: unknown, other: unknown): boolean =>
  typeof time === 'string' && typeof other === 'string' && Date.parse(time) < Date.parse(other)

/** How full something is, with NetBox's marks: yellow from 75 %, red from 90 %. */
const Usage = ({ used, total }: { used: number; total: number }) => {
  const share = total > 0 ? Math.round((used / total) * 100) : 0
  return (
    <span class="netbox-pbs-usage">
      <span>{formatBytes(used)}</span>
      <meter min={0} max={100} low={75} high={90} optimum={0} value={share} aria-label={`${share} % used`} />
      <span class="text-secondary">{share} %</span>
    </span>
  )
}
