import type { JsonValue } from '@netbox-pbs/core'
import type { PbsDatastoreConfig, PbsGcStatus, PbsJob, PbsJobType } from '@netbox-pbs/pbs-client'
import type { JobFrame } from '@netbox-pbs/proxbox-client/contract'
import { Effect, Stream } from 'effect'
import { datastorePath } from '../permissions/permissions.ts'
import { readStores } from './datastores.ts'
import {
  type ColumnsOfFields,
  datetimeOf,
  firstLine,
  lastRunError,
  lastRunState,
  storable,
  unknownColumns,
  withUnknown,
} from './facts.ts'
import { fieldNotes, type Note, observedOnly, readableRows } from './note.ts'
import { type Line, type Listing, openScope } from './open-scope.ts'
import type { ScopeFailed } from './scope-failed.ts'
import type { ServerSession } from './server-session.ts'

/** The types of jobs of a PBS, in the order in which they are listed. */
export const listedJobTypes = ['verify', 'prune', 'sync', 'gc', 'tape'] as const

/** One of {@link listedJobTypes}. */
export type JobType = PbsJobType | 'gc'

/** The jobs of a server as the lines of their scopes, one for each type. */
export const jobsScopes = (
  session: ServerSession,
  { job_types }: { readonly job_types?: ReadonlyArray<string> | undefined },
): Stream.Stream<Line> => {
  const types = listedJobTypes.filter((type) => job_types === undefined || job_types.includes(type))
  return Stream.fromIterable(types).pipe(
    Stream.flatMap((job_type: JobType) =>
      Stream.unwrap(
        openScope(
          session,
          { resource: 'jobs', server: session.endpoint.name, job_type },
          Effect.map(job_type === 'gc' ? listGcJobs(session) : listOthers(session, job_type), (items) => ({
            items,
            pathOf: visibilityPath,
          })),
        ),
      ),
    ),
  )
}

/**
 * Verify, prune and gc jobs of one store or namespace are visible or hidden together. A sync job depends on both of its
 * ends, so each has a text of its own instead of a path.
 */
const visibilityPath = ({ job_type, job_id, store, namespace }: JobFrame): string => {
  if (job_type === 'tape') return `/tape/job/${job_id}`
  return job_type === 'sync' ? `sync job ${job_id}` : datastorePath(store, namespace)
}

type JobItems = Extract<Listing<JobFrame>['items'], ReadonlyArray<unknown>>

const listOthers = ({ endpoint, pbs }: ServerSession, type: PbsJobType): Effect.Effect<JobItems, ScopeFailed> =>
  Effect.map(pbs.jobs(type), (list) => {
    const { rows, notes } = readableRows<PbsJob>(`${type} job`, list)
    return [
      ...notes,
      ...[...rows]
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .flatMap((row) => [...fieldNotes(`${type} job ${row.id}`, row), jobFrame(endpoint.name, type, row)]),
    ]
  })

/** A gc job is in the configuration of its store; the job of a store that cannot be opened keeps its row. */
const listGcJobs = (session: ServerSession): Effect.Effect<JobItems, ScopeFailed> =>
  Effect.gen(function* () {
    const { endpoint, pbs } = session
    const [{ configs }, states] = yield* Effect.all(
      [readStores(session), observedOnly('state of garbage collection', pbs.gcStates)],
      { concurrency: 'unbounded' },
    )
    return [
      ...configs.notes,
      ...states.notes(configs.rows.map(({ name }) => name)),
      ...[...configs.rows]
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .flatMap((config): ReadonlyArray<JobFrame | Note> => {
          const state = states.rows.find(({ store }) => store === config.name)
          return [...fieldNotes(`gc job ${config.name}`, config), gcJobFrame(endpoint.name, config, state)]
        }),
    ]
  })

/** Keys that have a column of their own or are observations: not configuration. */
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

const isJobOption = (key: string): boolean => !notOptions.has(key)
const isGcOption = (key: string): boolean => key.startsWith('gc-') && key !== 'gc-schedule'

const jobColumns: ColumnsOfFields = {
  ns: ['namespace'],
  remote: ['remote'],
  schedule: ['schedule'],
  comment: ['comment'],
  disable: ['disable'],
}

/** A verify, prune, sync or tape job. Its options keep PBS's own names. */
export const jobFrame = (server: string, job_type: PbsJobType, job: PbsJob): JobFrame => ({
  frame: 'job',
  server,
  job_type,
  job_id: job.id,
  store: job.store,
  namespace: job.ns ?? '',
  remote: ('remote' in job ? job.remote : null) ?? '',
  schedule: storable(job.schedule ?? ''),
  comment: firstLine(job.comment),
  disable: ('disable' in job ? job.disable : null) ?? false,
  options: optionsOf(job, isJobOption),
  ...withUnknown([...unknownColumns(job.oddFields, jobColumns), ...unknownOptions(job.oddFields, isJobOption)]),
  observed: {
    last_run_state: jobState(job['last-run-state'], job['last-run-upid']),
    last_run_error: lastRunError(job['last-run-state']),
    last_run_endtime: datetimeOf(job['last-run-endtime']),
    next_run: datetimeOf(job['next-run']),
  },
})

/** The gc job of a datastore; its id is the name of the store. A store that cannot be opened has no state. */
export const gcJobFrame = (server: string, config: PbsDatastoreConfig, state: PbsGcStatus | undefined): JobFrame => ({
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
    ...unknownOptions(config.oddFields, isGcOption),
  ]),
  observed: {
    // The UPID is that of the last success and stays while a run is under way, whose end is then missing.
    last_run_state: jobState(state?.['last-run-state'] ?? null, state?.upid ?? null),
    last_run_error: lastRunError(state?.['last-run-state'] ?? null),
    last_run_endtime: datetimeOf(state?.['last-run-endtime'] ?? null),
    next_run: datetimeOf(state?.['next-run'] ?? null),
  },
})

const jobState = (state: string | null, upid: string | null): string => {
  const last = lastRunState(state, upid)
  return last === 'never' ? 'unknown' : last
}

const optionsOf = (row: object, isOption: (key: string) => boolean): JsonValue =>
  // The rows were parsed from JSON, so their values are JSON.
  Object.fromEntries(
    Object.entries(row).filter(([key, value]) => isOption(key) && value !== undefined && value !== null),
  ) as Readonly<Record<string, JsonValue>>

/** One odd option makes the options as a whole unknown: it may be set or not. */
const unknownOptions = (
  oddFields: ReadonlyArray<string> | undefined,
  isOption: (key: string) => boolean,
): ReadonlyArray<string> => ((oddFields ?? []).some((path) => isOption(path.split('.', 1)[0] ?? '')) ? ['options'] : [])
