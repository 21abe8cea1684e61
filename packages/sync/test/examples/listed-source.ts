import { createHash } from 'node:crypto'
import type { Scope } from '@netbox-pbs/core'
import { Source, SourceFailed, type SourceFrame, type SourceGroup, type SourceRequest } from '@netbox-pbs/core/ports'
import { Effect, Layer, Stream } from 'effect'

/** A snapshot as `proxmox-backup-client snapshot list --output-format json` prints it. */
export interface ListedSnapshot {
  readonly 'backup-type': string
  readonly 'backup-id': string
  readonly 'backup-time': number
  readonly owner: string
  readonly size: number
}

/** The snapshots of each datastore, by server. */
export type Listed = Readonly<Record<string, Readonly<Record<string, ReadonlyArray<ListedSnapshot>>>>>

/** A source that knows what was printed on each server. */
export const listedSource = (listed: Listed): Layer.Layer<Source> =>
  Layer.succeed(Source, {
    frames: (request) =>
      request.resource === 'jobs' || request.resource === 'tasks'
        ? Stream.fail(
            new SourceFailed({ code: 'protocol', message: `It lists no ${request.resource}.`, retryable: false }),
          )
        : Stream.fromIterable(framesOf(listed, request)),
  })

function* framesOf(listed: Listed, { resource, servers }: SourceRequest): Generator<SourceFrame> {
  if (resource === 'servers') yield* scopeOf({ resource }, Object.keys(listed).map(serverFrame))
  for (const [server, stores] of Object.entries(listed)) {
    if (resource === 'servers' || servers?.includes(server) === false) continue
    if (resource === 'datastores')
      yield* scopeOf(
        { resource, server },
        Object.keys(stores).map((name) => datastoreFrame(server, name)),
      )
    else
      for (const [datastore, snapshots] of Object.entries(stores)) {
        const root: SourceFrame = { _tag: 'namespace', server, facts: { datastore_name: datastore, path: '' } }
        yield* scopeOf({ resource: 'namespaces', server, datastore }, [root])
        const groups = groupsOf(datastore, snapshots).map((group) => groupFrame(server, group))
        yield* scopeOf({ resource: 'snapshots', server, datastore, namespace: '' }, groups, snapshots.length)
      }
  }
  yield { _tag: 'end' }
}

/** A scope that is listed completely. The rows that it lacks are gone, so never complete a list that was cut off. */
function* scopeOf(scope: Scope, rows: ReadonlyArray<SourceFrame>, count = rows.length): Generator<SourceFrame> {
  yield { _tag: 'scope', scope }
  yield* rows
  yield { _tag: 'complete', scope, count, visibility: null }
}

const serverFrame = (name: string, nth: number): SourceFrame => ({
  _tag: 'server',
  facts: {
    ...{ name, host: name, port: 8007, token_id: '', fingerprint: '', verify_ssl: true, timeout_seconds: 30 },
    ...{ endpoint_id: nth + 1, version: null, timezone: null },
  },
  observed: { status: 'unknown', last_seen_at: null },
})

const datastoreFrame = (server: string, name: string): SourceFrame => ({
  _tag: 'datastore',
  server,
  facts: { name, path: '', comment: '', maintenance: '', mount_status: '', backend_type: '' },
  observed: {
    ...{ used_bytes: null, total_bytes: null, avail_bytes: null, gc_status: 'unknown', estimated_full_at: null },
    ...{ gc_index_bytes: null, gc_disk_bytes: null, gc_removed_bytes: null, gc_pending_bytes: null },
    ...{ gc_bad_chunks: null, last_gc_at: null, last_gc_end: null },
  },
})

function groupsOf(datastore_name: string, snapshots: ReadonlyArray<ListedSnapshot>): ReadonlyArray<SourceGroup> {
  const ids = new Set(snapshots.map((one) => `${one['backup-type']}/${one['backup-id']}`))
  return [...ids].toSorted().map((id): SourceGroup => {
    const own = snapshots
      .filter((one) => `${one['backup-type']}/${one['backup-id']}` === id)
      .toSorted((a, b) => b['backup-time'] - a['backup-time'])
    const [backup_type = '', backup_id = ''] = id.split('/')
    return {
      facts: { datastore_name, namespace: '', backup_type, backup_id, owner: own[0]?.owner ?? '', comment: '' },
      snapshots: own.map((one) => ({
        backup_time: new Date(one['backup-time'] * 1000).toISOString().replace('.000', ''),
        size_bytes: one.size,
        owner: one.owner,
        // What the list does not say: main keeps what it has.
        unknown: ['comment', 'protected', 'verification_state', 'verification_upid', 'crypt_mode', 'key_fingerprint'],
        ...{
          comment: '',
          protected: false,
          verification_state: '',
          verification_upid: '',
          crypt_mode: '',
          key_fingerprint: '',
        },
        ...{ finished: true, manifest_files: [], other_files: [] },
      })),
      listDigest: null,
    }
  })
}

/** Equal facts have equal digests: the next run neither parses nor compares such a group. */
const groupFrame = (server: string, group: SourceGroup): SourceFrame => ({
  _tag: 'group',
  server,
  digest: createHash('sha256')
    .update(JSON.stringify([server, group]))
    .digest('hex'),
  parse: Effect.succeed(group),
})
