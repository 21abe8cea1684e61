import type { JsonValue } from '@netbox-pbs/core'
import { classifyLastRun, type LastRunState } from '@netbox-pbs/pbs-client'
import type { JobFrame } from '@netbox-pbs/proxbox-client/contract'
import type { GcState } from './datastore.ts'
import { datetimeOf } from './datetime.ts'
import { firstLine, storable } from './text.ts'
import { type ColumnsOfFields, unknownColumns, withUnknown } from './unknown-columns.ts'

/** What is read of a row of `/admin/{verify,prune,sync}` and `/tape/backup`; the rest of its keys are the job's options. */
export interface ListedJob {
  readonly id: string
  readonly store: string
  readonly ns?: string | null | undefined
  readonly remote?: string | null | undefined
  readonly schedule?: string | null | undefined
  readonly comment?: string | null | undefined
  readonly disable?: boolean | null | undefined
  readonly 'next-run'?: number | null | undefined
  readonly 'last-run-state'?: string | null | undefined
  readonly 'last-run-upid'?: string | null | undefined
  readonly 'last-run-endtime'?: number | null | undefined
  readonly oddFields?: ReadonlyArray<string> | undefined
}

/** What is read of a row of `/config/datastore` for its gc job. */
export interface GcConfig {
  readonly name: string
  readonly 'gc-schedule'?: string | null | undefined
  readonly oddFields?: ReadonlyArray<string> | undefined
}

/** The kinds of jobs that have rows of their own in PBS. */
export type ListedJobType = 'verify' | 'prune' | 'sync' | 'tape'

/** Keys with a column of their own, and readings of the moment: not configuration. */
const notOptions = new Set([
  'id',
  'store',
  'ns',
  'remote',
  'schedule',
  'comment',
  'disable',
  'digest',
  'next-run',
  'last-run-state',
  'last-run-upid',
  'last-run-endtime',
  'next-media-label',
  'unsafeIntegers',
  'oddFields',
])

const jobColumns: ColumnsOfFields = {
  ns: ['namespace'],
  remote: ['remote'],
  schedule: ['schedule'],
  comment: ['comment'],
  disable: ['disable'],
}

/** Of an odd option it is not known whether it is set, so the options as a whole are not. */
const unknownOfJob = (
  oddFields: ReadonlyArray<string> | undefined,
  isOption: (key: string) => boolean,
): ReadonlyArray<string> => [
  ...unknownColumns(oddFields, jobColumns),
  ...((oddFields ?? []).some((path) => isOption(path.split('.', 1)[0] ?? '')) ? ['options'] : []),
]

const isJobOption = (key: string): boolean => !notOptions.has(key)
const isGcOption = (key: string): boolean => key.startsWith('gc-') && key !== 'gc-schedule'

/** A verify, prune, sync or tape job. Its options keep PBS's own names. */
export const jobFrame = (server: string, job_type: ListedJobType, listed: ListedJob): JobFrame => ({
  frame: 'job',
  server,
  job_type,
  job_id: listed.id,
  store: listed.store,
  namespace: listed.ns ?? '',
  remote: listed.remote ?? '',
  schedule: storable(listed.schedule ?? ''),
  comment: firstLine(listed.comment),
  disable: listed.disable ?? false,
  options: optionsOf(listed, isJobOption),
  ...withUnknown(unknownOfJob(listed.oddFields, isJobOption)),
  observed: {
    last_run_state: jobState(
      classifyLastRun({ state: listed['last-run-state'] ?? null, upid: listed['last-run-upid'] ?? null }),
    ),
    last_run_endtime: datetimeOf(listed['last-run-endtime']),
    next_run: datetimeOf(listed['next-run']),
  },
})

/** The gc job of a datastore, known by its store. The state is missing for a store that cannot be opened. */
export const gcJobFrame = (server: string, config: GcConfig, state: GcState | undefined): JobFrame => ({
  frame: 'job',
  server,
  job_type: 'gc',
  job_id: config.name,
  store: config.name,
  namespace: '',
  remote: '',
  schedule: storable(config['gc-schedule'] ?? ''),
  comment: '',
  disable: false,
  options: optionsOf(config, isGcOption),
  ...withUnknown([
    ...unknownColumns(config.oddFields, { 'gc-schedule': ['schedule'] }),
    ...(config.oddFields?.some(isGcOption) === true ? ['options'] : []),
  ]),
  observed: {
    // The UPID is that of the last success and stays while a run is under way, whose end is then missing.
    last_run_state: jobState(classifyLastRun({ state: state?.['last-run-state'] ?? null, upid: state?.upid ?? null })),
    last_run_endtime: datetimeOf(state?.['last-run-endtime']),
    next_run: datetimeOf(state?.['next-run']),
  },
})

const jobState = (state: LastRunState): string => (state === 'never' ? 'unknown' : state)

const optionsOf = (row: object, isOption: (key: string) => boolean): JsonValue =>
  // The rows were read from JSON, and parsing them kept unknown keys as they were.
  Object.fromEntries(
    Object.entries(row).filter(([key, value]) => isOption(key) && value !== undefined && value !== null),
  ) as Readonly<Record<string, JsonValue>>
