import type { FieldValue } from '../registry/field.ts'

/** A place that holds groups: a namespace of a datastore of a server. */
export interface GroupPlace {
  /** The id of the server. */
  readonly server: number
  readonly store: string
  /** Empty: the root namespace. */
  readonly namespace: string
}

/** From where to where a sync job copies, as PBS has it configured. */
export interface SyncRoute {
  /** The id of the job. */
  readonly job: number
  /** The end on the job's own server: the target of a pull, the source of a push. */
  readonly near: GroupPlace
  readonly direction: 'pull' | 'push'
  /** The other end. Its server is known when it is the job's own; null: a remote, of which a job has only a name. */
  readonly far: { readonly server: number | null; readonly store: string; readonly namespace: string }
  /** How many levels of namespaces below its own it copies; null: all. */
  readonly maxDepth: number | null
  /** PBS's group filters, such as `include:type:vm`; none: all groups. */
  readonly filters: ReadonlyArray<string>
  /** It leaves out backups that are not encrypted, or not verified, so that what it should copy is not known. */
  readonly selective: boolean
}

/** The facts of a job that its route follows from. */
export interface SyncJobFacts {
  readonly id: number
  readonly server: number
  readonly store: string
  readonly namespace: string
  readonly remote: string
  /** PBS's own options by their names. */
  readonly options: FieldValue
}

/** The route of a sync job; null: its options do not say where its other end is. */
export function syncRoute({ id, server, store, namespace, remote, options }: SyncJobFacts): SyncRoute | null {
  const given = isRecord(options) ? options : {}
  const farStore = given['remote-store']
  if (typeof farStore !== 'string' || farStore === '' || store === '') return null
  const depth = given['max-depth']
  const filters = given['group-filter']
  const farNamespace = given['remote-ns']
  return {
    job: id,
    near: { server, store, namespace },
    direction: given['sync-direction'] === 'push' ? 'push' : 'pull',
    far: {
      server: remote === '' ? server : null,
      store: farStore,
      namespace: typeof farNamespace === 'string' ? farNamespace : '',
    },
    maxDepth: typeof depth === 'number' ? depth : null,
    filters: Array.isArray(filters) ? filters.filter((filter) => typeof filter === 'string') : [],
    selective: given['encrypted-only'] === true || given['verified-only'] === true,
  }
}

const isRecord = (value: FieldValue): value is Readonly<Record<string, FieldValue>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether a sync job copies from one place to another. A server that it does not name may be any. */
export function leads(route: SyncRoute, from: GroupPlace, to: GroupPlace): boolean {
  const [near, far] = route.direction === 'pull' ? [to, from] : [from, to]
  if (near.server !== route.near.server || near.store !== route.near.store) return false
  if (far.store !== route.far.store || (route.far.server !== null && far.server !== route.far.server)) return false
  const nearRest = below(route.near.namespace, near.namespace)
  return (
    nearRest !== null &&
    nearRest === below(route.far.namespace, far.namespace) &&
    (route.maxDepth === null || levels(nearRest) <= route.maxDepth)
  )
}

/** The path of a namespace below another; null: it is not below it. */
function below(base: string, namespace: string): string | null {
  if (base === namespace) return ''
  if (base === '') return namespace
  return namespace.startsWith(`${base}/`) ? namespace.slice(base.length + 1) : null
}

const levels = (path: string): number => (path === '' ? 0 : path.split('/').length)

/**
 * Whether a sync job copies a group, by its filters: PBS takes the groups that an include names (all,
 * when none does), without those that an exclude names. Null: a regular expression decides, which only
 * PBS reads as it means it.
 */
export function selects({ filters }: SyncRoute, backupType: string, backupId: string): boolean | null {
  const parsed = filters.map((filter) => {
    const excludes = filter.startsWith('exclude:')
    return { excludes, fits: fits(filter.replace(/^(?:include|exclude):/, ''), backupType, backupId) }
  })
  const includes = parsed.filter(({ excludes }) => !excludes).map((filter) => filter.fits)
  const included = includes.length === 0 ? true : anyOf(includes)
  const excluded = anyOf(parsed.filter(({ excludes }) => excludes).map((filter) => filter.fits))
  if (included === false || excluded === true) return false
  return included === null || excluded === null ? null : true
}

function fits(filter: string, backupType: string, backupId: string): boolean | null {
  if (filter.startsWith('type:')) return filter === `type:${backupType}`
  if (filter.startsWith('group:')) return filter === `group:${backupType}/${backupId}`
  return null
}

const anyOf = (results: ReadonlyArray<boolean | null>): boolean | null =>
  results.includes(true) ? true : results.includes(null) ? null : false
