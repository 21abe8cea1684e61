import { type ParameterSchemas, storeSchema } from '../http/parameters.ts'
import { datastorePath } from '../permissions/privileges.ts'
import type { JobState, Json, PbsState, SyncJobState } from '../state/pbs-state.ts'
import { atLeast } from '../state/profile.ts'
import { configDigest, inCallOrder, may, optional, type Route, type RouteContext, textOf } from './route.ts'

type Fields = Readonly<Record<string, Json>>

/** How one kind of job is listed. */
interface JobKind<Job extends JobState> {
  readonly since?: string
  readonly statusPath: string
  readonly configPath: string
  readonly jobs: (state: PbsState) => readonly Job[]
  readonly visible: (context: RouteContext, job: Job) => boolean
  readonly configFields: (job: Job) => Fields
  readonly statusFields?: (job: Job) => Fields
  /** Further query parameters of the status list and of the configuration list. */
  readonly statusParameters: (state: PbsState) => ParameterSchemas
  readonly configParameters?: (state: PbsState) => ParameterSchemas
  readonly requested?: (context: RouteContext, job: Job) => boolean
}

const configOf = <Job extends JobState>(kind: JobKind<Job>, job: Job): Fields => ({
  id: job.id,
  store: job.store,
  ...optional('ns', job.ns),
  ...optional('schedule', job.schedule),
  ...optional('comment', job.comment),
  ...job.options,
  ...kind.configFields(job),
})

const statusOf = <Job extends JobState>(kind: JobKind<Job>, job: Job): Fields => ({
  ...configOf(kind, job),
  ...optional('next-run', job.nextRun),
  ...optional('last-run-state', job.lastRun?.state ?? null),
  ...optional('last-run-upid', job.lastRun?.upid ?? null),
  ...optional('last-run-endtime', job.lastRun?.endtime ?? null),
  ...kind.statusFields?.(job),
})

const listOf = <Job extends JobState>(
  kind: JobKind<Job>,
  context: RouteContext,
  rowOf: (kind: JobKind<Job>, job: Job) => Fields,
) => {
  const jobs = kind.jobs(context.state)
  const store = textOf(context, 'store')
  const rows = inCallOrder(context, jobs)
    .filter((job) => store === '' || job.store === store)
    .filter((job) => kind.visible(context, job) && (kind.requested?.(context, job) ?? true))
    .map((job) => rowOf(kind, job))
  return { data: rows, siblings: { digest: configDigest(jobs.map((job) => configOf(kind, job))) } }
}

const routesOf = <Job extends JobState>(kind: JobKind<Job>): readonly Route[] => {
  const shared = {
    method: 'GET',
    permission: 'authenticated',
    ...(kind.since === undefined ? {} : { since: kind.since }),
  } as const
  return [
    {
      ...shared,
      path: kind.statusPath,
      parameters: kind.statusParameters,
      handle: (context) => listOf(kind, context, statusOf),
    },
    {
      ...shared,
      path: kind.configPath,
      parameters: kind.configParameters ?? (() => ({})),
      handle: (context) => listOf(kind, context, configOf),
    },
  ]
}

const byStore = (): ParameterSchemas => ({ store: { ...storeSchema, optional: true } })

const directionParameter = (state: PbsState): ParameterSchemas =>
  atLeast(state, '3.3') ? { 'sync-direction': { type: 'string', optional: true, values: ['all', 'push', 'pull'] } } : {}

/** A sync job is visible to callers that may audit both of its ends. */
const seesSync = (context: RouteContext, job: SyncJobState): boolean => {
  const own = may(context, datastorePath(job.store, job.ns), 'Datastore.Audit')
  if (job.remote === null) return own && may(context, datastorePath(job.remoteStore, job.remoteNs), 'Datastore.Audit')
  const remotePath =
    job.direction === 'pull'
      ? `/remote/${job.remote}`
      : `/remote/${job.remote}/${job.remoteStore}${job.remoteNs === null || job.remoteNs === '' ? '' : `/${job.remoteNs}`}`
  return own && may(context, remotePath, 'Remote.Audit')
}

/** Verify, prune, sync and tape jobs: with their state, and as configured. */
export const jobRoutes: readonly Route[] = [
  ...routesOf({
    statusPath: '/admin/verify',
    configPath: '/config/verify',
    jobs: ({ jobs }) => jobs.verify,
    visible: (context, job) => may(context, datastorePath(job.store, job.ns), 'Datastore.Audit', 'Datastore.Verify'),
    configFields: () => ({}),
    statusParameters: byStore,
  }),
  ...routesOf({
    since: '2.3',
    statusPath: '/admin/prune',
    configPath: '/config/prune',
    jobs: ({ jobs }) => jobs.prune,
    visible: (context, job) => may(context, datastorePath(job.store, job.ns), 'Datastore.Audit', 'Datastore.Modify'),
    configFields: ({ disable }) => (disable ? { disable } : {}),
    statusParameters: byStore,
  }),
  ...routesOf({
    statusPath: '/admin/sync',
    configPath: '/config/sync',
    jobs: ({ jobs }) => jobs.sync,
    visible: seesSync,
    requested: (context, job) => ['all', job.direction].includes(textOf(context, 'sync-direction', 'pull')),
    configFields: ({ direction, remote, remoteStore, remoteNs }) => ({
      ...optional('remote', remote),
      'remote-store': remoteStore,
      ...optional('remote-ns', remoteNs),
      ...(direction === 'push' ? { 'sync-direction': direction } : {}),
    }),
    statusParameters: (state) => ({ ...byStore(), ...directionParameter(state) }),
    configParameters: directionParameter,
  }),
  ...routesOf({
    statusPath: '/tape/backup',
    configPath: '/config/tape-backup-job',
    jobs: ({ jobs }) => jobs.tape,
    visible: (context, job) => may(context, `/tape/job/${job.id}`, 'Tape.Audit'),
    configFields: () => ({}),
    statusFields: ({ nextMediaLabel }) => optional('next-media-label', nextMediaLabel),
    statusParameters: () => ({}),
  }),
]
