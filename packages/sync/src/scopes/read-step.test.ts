import type { Scope } from '@netbox-pbs/core'
import type { SourceFrame } from '@netbox-pbs/core/ports'
import { describe, expect, test } from 'vitest'
import { readStep } from './read-step.ts'

const server = 'pbs-a'
const requested = { resource: 'snapshots', server } as const
const namespaces: Scope = { resource: 'namespaces', server, datastore: 'tank' }
const datastores: Scope = { resource: 'datastores', server }
const root: Scope = { resource: 'snapshots', server, datastore: 'tank', namespace: '' }
const elsewhere: Scope = { ...root, server: 'pbs-b' }

const opening = (scope: Scope): SourceFrame => ({ _tag: 'scope', scope })
const complete = (scope: Scope): SourceFrame => ({ _tag: 'complete', scope, count: 0, visibility: null })
const failed = (scope: Scope): SourceFrame => ({
  _tag: 'failed',
  scope,
  code: 'forbidden',
  message: 'no',
  retryable: false,
})
const namespaceIn = (datastore_name: string): SourceFrame => ({
  _tag: 'namespace',
  server,
  facts: { datastore_name, path: 'a' },
})

const datastoreRow: SourceFrame = {
  _tag: 'datastore',
  server,
  facts: { name: 'tank', path: '/tank', comment: '', maintenance: '', mount_status: '', backend_type: '' },
  observed: {
    used_bytes: null,
    total_bytes: null,
    avail_bytes: null,
    gc_status: 'ok',
    estimated_full_at: null,
    ...{
      gc_index_bytes: null,
      gc_disk_bytes: null,
      gc_removed_bytes: null,
      gc_pending_bytes: null,
      gc_bad_chunks: null,
      last_gc_at: null,
      last_gc_end: null,
    },
  },
}

describe('a frame', () => {
  test.each<[string, Scope | null, SourceFrame, string]>([
    ['opens a scope', null, opening(root), 'opened'],
    ['opens one of the namespaces too', null, opening(namespaces), 'opened'],
    ['opens a scope inside another', root, opening(namespaces), 'broken'],
    ['opens a scope of another server', null, opening(elsewhere), 'broken'],
    ['opens a scope of another resource', null, opening({ resource: 'jobs', server, job_type: 'gc' }), 'broken'],
    ['opens the scope above all that was asked for', null, opening(datastores), 'opened_above'],
    ['fails the scope above', datastores, failed(datastores), 'failed_above'],
    ['fails the scope above without opening it', null, failed(datastores), 'failed_above'],
    ['completes the scope above', datastores, complete(datastores), 'broken'],
    ['is a row of the scope above', datastores, datastoreRow, 'broken'],
    ['is a row of the open scope', namespaces, namespaceIn('tank'), 'row'],
    ['is a row of another datastore', namespaces, namespaceIn('pond'), 'broken'],
    ['is a row of another kind', root, namespaceIn('tank'), 'broken'],
    ['is a row outside of any scope', null, namespaceIn('tank'), 'broken'],
    ['completes the open scope', root, complete(root), 'completed'],
    ['completes another scope', root, complete(namespaces), 'broken'],
    ['completes a scope that is not open', null, complete(root), 'broken'],
    ['fails the open scope', root, failed(root), 'failed'],
    ['fails a scope without opening it', null, failed(root), 'failed'],
    ['fails a scope that was not asked for', null, failed(elsewhere), 'broken'],
    ['fails another scope', root, failed(namespaces), 'broken'],
    ['warns', root, { _tag: 'warning', scope: root, code: 'c', message: 'm' }, 'warned'],
    ['ends the stream', null, { _tag: 'end' }, 'ended'],
    ['ends the stream inside a scope', root, { _tag: 'end' }, 'broken'],
  ])('that %s', (_, open, frame, step) => {
    expect(readStep(requested, open, frame)._tag).toBe(step)
  })

  test('of the servers belongs to the job of the gateway only', () => {
    const servers: Scope = { resource: 'servers' }
    expect(readStep({ resource: 'servers', server: null }, null, opening(servers))._tag).toBe('opened')
    expect(readStep(requested, null, opening(servers))._tag).toBe('broken')
  })
})
