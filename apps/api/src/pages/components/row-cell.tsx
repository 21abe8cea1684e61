import { choiceFor, type Field, type Model, registry } from '@netbox-pbs/core'
import type { Child } from 'hono/jsx'
import { rowPage } from '../../rest/page-paths.ts'
import type { Row } from '../../rest/row.ts'
import { Badge } from './badge.tsx'
import { Cell } from './cell.tsx'
import { formatBytes, formatTime } from './format.ts'
import type { PageBranch } from './viewer.ts'

const colors: Readonly<Record<string, string>> = { ok: 'green', failed: 'red' }

/** Why the state of a verification does not apply to this copy. */
const doubts: Readonly<Record<string, string>> = {
  elsewhere: 'made on another datastore and copied with the snapshot; this copy was not verified',
  unknown: 'it is unknown whether this copy was verified, or another one',
}

/** Only a verification that was made here is good or bad. */
const verification = (state: unknown, place: unknown): Child | undefined => {
  if (typeof state !== 'string' || state === '') return undefined
  if (place === 'here') return <Badge color={colors[state] ?? 'secondary'} label={state} />
  return <Badge color="secondary" label={`${state}, ${String(place)}`} title={doubts[String(place)]} />
}

const isBefore = (time: unknown, other: unknown): boolean =>
  typeof time === 'string' && typeof other === 'string' && Date.parse(time) < Date.parse(other)

/** Cells that say more than their column's type does, by model and column; undefined: shown by its type. */
const special: Readonly<Record<string, (row: Row) => Child | undefined>> = {
  'datastore.used_bytes': ({
    used_bytes: used,
    total_bytes: total,
    backend_type: backend,
    usage_at: at,
    last_seen_at: seen,
  }) => {
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
  'server.status': ({ status, last_error: error, consecutive_failures: failures }) => {
    if (error === '' || typeof failures !== 'number' || failures === 0) return undefined
    const { value, label, color } = choiceFor(registry.server.fields.status.choices, String(status))
    const runs = failures === 1 ? 'the last run failed' : `the last ${failures} runs failed`
    // One that answers and refuses is no good news either.
    return <Badge color={value === 'reachable' ? 'orange' : color} label={label} title={`${runs}: ${String(error)}`} />
  },
  'job.health': ({ health, health_since: since, missed_runs: missed, failed_runs: failed, first_error: error }) => {
    if (typeof since !== 'string' || (health !== 'missed' && health !== 'failing')) return undefined
    const { label, color } = choiceFor(registry.job.fields.health.choices, health)
    const time = formatTime(since)
    const due = missed === 1 ? `at ${time}` : `${missed === null ? '' : `${String(missed)} times `}since ${time}`
    const runs = failed === 1 ? `The run of ${time}` : `The last ${String(failed)} runs since ${time}`
    const title = health === 'missed' ? `It was due ${due}, and has not started` : `${runs} failed: ${String(error)}`
    return <Badge color={color} label={label} title={title} />
  },
  'group.newest_verification': (row) => verification(row['newest_verification'], row['newest_verification_place']),
  'snapshot.verification_state': (row) => verification(row['verification_state'], row['verification_place']),
  'snapshot.files': (row) => {
    const files: ReadonlyArray<unknown> = Array.isArray(row['files']) ? row['files'] : []
    const readable = files.map((file) => {
      if (typeof file !== 'object' || file === null || !('filename' in file)) return file
      const size = 'size' in file && typeof file.size === 'number' ? formatBytes(file.size) : null
      return { filename: file.filename, size, crypt_mode: 'crypt_mode' in file ? file.crypt_mode : null }
    })
    return <Cell field={registry.snapshot.fields.files} value={readable} reference="" />
  },
}

/** A column of a row, and the branch that its links keep. */
interface RowCellProps {
  readonly model: Model
  readonly name: string
  readonly field: Field
  readonly row: Row
  readonly branch?: PageBranch
}

/** A column of a row. */
export const RowCell = ({ model, name, field, row, branch = null }: RowCellProps) => (
  <>
    {special[`${model.name}.${name}`]?.(row) ?? (
      <Cell field={field} value={row[name]} reference={row.serverName} branch={branch} />
    )}
  </>
)

/** The column of a list that links to the row: the first that is a name of its own. */
export const linkedColumn = (model: Model): string | undefined =>
  model.columns.find((name) => !['choice', 'reference'].includes(model.fields[name]?.type ?? 'choice'))

/** A column of a row, linked to the row. */
export const LinkedCell = (props: RowCellProps) => (
  <>
    <a class="fw-medium text-nowrap" href={rowPage(props.model.name, props.row.id, props.branch)}>
      <RowCell {...props} />
    </a>
    <MissingBadge row={props.row} />
  </>
)

/** Marks a row that its source no longer lists and that is still there. */
const MissingBadge = ({ row: { missing_since: since } }: { row: Row }) =>
  typeof since === 'string' ? (
    <>
      {' '}
      <Badge color="orange" label="missing" title={`since ${formatTime(since)}`} />
    </>
  ) : null

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
