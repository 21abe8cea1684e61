import {
  backupIdSchema,
  backupTypeSchema,
  namespaceSchema,
  type ParameterSchemas,
  storeSchema,
} from '../http/parameters.ts'
import { datastorePath, ownsGroup } from '../permissions/privileges.ts'
import type { GroupState, Json, NamespaceState, PbsState, SnapshotState } from '../state/pbs-state.ts'
import { atLeast } from '../state/profile.ts'
import { countOf, isFinished, newestOf, snapshotAt } from '../state/series.ts'
import { openNamespace, openStore } from './open-store.ts'
import { ApiError, inCallOrder, may, optional, type Route, type RouteContext, textOf } from './route.ts'

/** The first line of group notes; a trailing newline stays when more follows. */
const firstLineKept = (notes: string): string => /^[^\n]*\n?/.exec(notes)?.[0] ?? ''
const firstLine = (notes: string): string => notes.split('\n', 1)[0] ?? ''

const groupRow = (state: PbsState, group: GroupState): Json | null => {
  const count = countOf(group)
  const modern = atLeast(state, '4.0.17')
  if (count === 0 && !modern) return null
  const last = (modern ? newestOf(group, isFinished) : undefined) ?? newestOf(group)
  return {
    'backup-type': group.backupType,
    'backup-id': group.backupId,
    'last-backup': last?.backupTime ?? 0,
    'backup-count': count,
    files: last?.files.map(({ filename }) => filename) ?? [],
    owner: group.owner,
    ...optional('comment', group.notes === null ? null : firstLineKept(group.notes)),
  }
}

const sizeOf = (snapshot: SnapshotState): number => snapshot.files.reduce((sum, file) => sum + (file.size ?? 0), 0)

/** Written with assignments instead of spreads: this runs a million times for a big list. */
const snapshotRow = (group: GroupState, snapshot: SnapshotState): Json => {
  const finished = isFinished(snapshot)
  const row: Record<string, Json> = {
    'backup-type': group.backupType,
    'backup-id': group.backupId,
    'backup-time': snapshot.backupTime,
  }
  if (finished) {
    if (snapshot.notes !== null) row['comment'] = firstLine(snapshot.notes)
    if (snapshot.verification !== null) row['verification'] = snapshot.verification
    if (snapshot.fingerprint !== null) row['fingerprint'] = snapshot.fingerprint
    row['size'] = sizeOf(snapshot)
  }
  row['files'] = finished ? snapshot.files : snapshot.files.map(({ filename }) => ({ filename }))
  row['owner'] = group.owner
  row['protected'] = snapshot.protected
  return row
}

/** The namespace asked for, and which of its groups the caller may see: all, or only owned ones. */
const openForReading = (
  context: RouteContext,
): { readonly namespace: NamespaceState; readonly sees: (group: GroupState) => boolean } => {
  const [store, ns] = [textOf(context, 'store'), textOf(context, 'ns')]
  const path = datastorePath(store, ns)
  const all = may(context, path, 'Datastore.Audit')
  if (!all && !may(context, path, 'Datastore.Backup'))
    throw new ApiError(403, `permission check failed - missing Datastore.Audit|Datastore.Backup on ${path}`)
  const namespace = openNamespace(openStore(context.state, store), ns)
  return { namespace, sees: (group) => group.ownerReadable && (all || ownsGroup(context.authId, group.owner)) }
}

const groupsAskedFor = (context: RouteContext): GroupState[] => {
  const { namespace, sees } = openForReading(context)
  const [type, id] = [textOf(context, 'backup-type'), textOf(context, 'backup-id')]
  if (type !== '' && id === '' && !namespace.groups.some(({ backupType }) => backupType === type))
    throw new ApiError(400, 'ENOENT: No such file or directory')
  return namespace.groups.filter(
    (group) => sees(group) && (type === '' || group.backupType === type) && (id === '' || group.backupId === id),
  )
}

/**
 * A copy of a group as it is now: a list has the state at the time of its request, also when it
 * takes long to send.
 */
const asItIs = (group: GroupState): GroupState => ({
  ...group,
  series: group.series === null ? null : { ...group.series },
  snapshots: [...group.snapshots],
})

/** Rows come group by group, in any order of groups and of snapshots within one; they are made while they are sent. */
function* snapshotRows(context: RouteContext, groups: readonly GroupState[]): Generator<Json> {
  for (const groupIndex of context.shuffled(groups.length)) {
    const group = groups[groupIndex]
    if (group === undefined) continue
    for (const position of context.shuffled(countOf(group))) {
      const snapshot = snapshotAt(group, position)
      if (snapshot !== undefined) yield snapshotRow(group, snapshot)
    }
  }
}

function* groupRows(context: RouteContext, groups: readonly GroupState[]): Generator<Json> {
  for (const group of groups) {
    const row = groupRow(context.state, group)
    if (row !== null) yield row
  }
}

const namespaceParameter = (state: PbsState): ParameterSchemas => (atLeast(state, '2.2') ? { ns: namespaceSchema } : {})

/** The contents of a namespace: groups and snapshots, one level at a time. */
export const contentRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/admin/datastore/{store}/groups',
    permission: 'authenticated',
    parameters: (state) => ({ store: storeSchema, ...namespaceParameter(state) }),
    handle: (context) => {
      const { namespace, sees } = openForReading(context)
      return { rows: groupRows(context, inCallOrder(context, namespace.groups.filter(sees).map(asItIs))) }
    },
  },
  {
    method: 'GET',
    path: '/admin/datastore/{store}/snapshots',
    permission: 'authenticated',
    parameters: (state) => ({
      store: storeSchema,
      ...namespaceParameter(state),
      'backup-type': backupTypeSchema,
      'backup-id': backupIdSchema,
    }),
    handle: (context) => ({ rows: snapshotRows(context, groupsAskedFor(context).map(asItIs)) }),
  },
]
