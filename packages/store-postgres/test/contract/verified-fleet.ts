import { naturalKey, type Scope } from '@netbox-pbs/core'
import { Branches, Runs } from '@netbox-pbs/core/ports'
import {
  change,
  create,
  datastoreFacts,
  groupFacts,
  jobFacts,
  landOnce,
  may,
  newRun,
  newScope,
  remove,
  serverFacts,
  snapshotFacts,
  writesOneByOne,
} from '@netbox-pbs/testing'
import { Effect } from 'effect'
import { check, newBranch, stageOnce } from './branching.ts'
import { ada } from './edits.ts'
import { newServer } from './landed-group.ts'

/** Rows of a server `a` in every list, among them a group in a namespace without a row. */
const everyList = Effect.gen(function* () {
  const server = yield* newServer('a')
  yield* landOnce({ resource: 'servers' }, [
    {
      model: 'server',
      changes: [create('server', serverFacts('w', { endpoint_state: 'pending', endpoint_id: null }))],
    },
  ])
  const ofServer = { server: 'a' } as const
  yield* landOnce({ resource: 'datastores', ...ofServer }, [
    { model: 'datastore', changes: [create('datastore', datastoreFacts(server, 'tank'))] },
  ])
  yield* landOnce({ resource: 'namespaces', ...ofServer, datastore: 'tank' }, [
    {
      model: 'namespace',
      changes: ['', 'x'].map((path) => create('namespace', { server, datastore_name: 'tank', path })),
    },
  ])
  yield* landOnce({ resource: 'jobs', ...ofServer, job_type: 'verify' }, [
    { model: 'job', changes: [create('job', jobFacts(server, 'v1'))] },
  ])
  const task = {
    ...{ server, upid: 'UPID:1', node: 'node-a', worker_type: 'backup', worker_id: 'tank:vm/100', user: 'root@pam' },
    ...{ starttime: may(1), datastore_name: 'tank', namespace: '', backup_type: 'vm', backup_id: '100' },
    ...{ job_type: '', job_id: '' },
  }
  const ended = { endtime: may(2), outcome: 'ok' as const, status: 'OK' }
  yield* landOnce({ resource: 'tasks', ...ofServer }, [
    {
      model: 'task',
      changes: [create('task', task)],
      observed: [{ key: naturalKey('task', task), values: ended }],
    },
  ])
  for (const namespace of ['', 'x', 'unnamed']) {
    const scope: Scope = { resource: 'snapshots', ...ofServer, datastore: 'tank', namespace }
    const group = groupFacts(server, '100', { namespace })
    const snapshots = [
      snapshotFacts(server, '100', may(1), { namespace, verification_state: 'ok' }),
      snapshotFacts(server, '100', may(2), { namespace, verification_state: 'failed', size_bytes: 7 }),
      snapshotFacts(server, '100', may(3), { namespace, finished: false }),
    ]
    yield* landOnce(scope, [
      { model: 'snapshot', changes: snapshots.map((facts) => create('snapshot', facts)) },
      {
        model: 'group',
        changes: [create('group', group)],
        digests: [{ key: naturalKey('group', group), digest: 'first', listed: 3 }],
      },
    ])
  }
  const writes = yield* writesOneByOne
  yield* writes.create({
    model: 'snapshot',
    rows: [{ ...snapshotFacts(server, '300', may(4)) }],
    actor: ada(8_000_001),
  })
  return server
})

/** Deletions that wait, and a group that one list lacks. */
const missingRows = Effect.gen(function* () {
  const held = yield* newScope('held', [1, 2])
  yield* held.land([held.lacks(1)], { held: 'too_many', at: '2026-06-02T00:00:00Z' })
  const absent = yield* newScope('absent', [1, 2])
  yield* absent.land([{ model: 'group', changes: [], sightings: { noted: [absent.groupId], returned: [] } }], {
    at: '2026-06-02T00:00:00Z',
  })
})

/** Branches: open with counts and digests, ready, in review, closed, and merged. */
const everyBranch = Effect.gen(function* () {
  const branches = yield* Branches
  const staged = (name: string) =>
    Effect.gen(function* () {
      const { server, scope, group, id, facts } = yield* newScope(name, [1, 2])
      const branch = yield* newBranch(name)
      yield* stageOnce(
        branch.id,
        scope,
        [
          {
            model: 'snapshot',
            changes: [
              remove('snapshot', id(1), facts(1)),
              change('snapshot', id(2), facts(2), { verification_state: 'ok' }),
              create('snapshot', snapshotFacts(server, '200', may(5))),
            ],
          },
          {
            model: 'group',
            changes: [],
            digests: [
              { key: naturalKey('group', group), digest: 'second', listed: 1 },
              { key: naturalKey('group', groupFacts(server, '200')), digest: 'new', listed: 1 },
            ],
          },
        ],
        { visibility: 'wide' },
      )
      return branch.id
    })
  const open = yield* staged('open')
  const ready = yield* staged('ready')
  yield* check(ready)
  const review = yield* staged('review')
  yield* (yield* writesOneByOne).update({
    model: 'snapshot',
    id: (yield* newScope('reviewed', [1])).id(1),
    values: { comment: 'edited' },
    actor: ada(8_000_002),
  })
  const closed = yield* staged('closed')
  yield* branches.close({ id: closed, status: 'closed' })
  const merged = yield* staged('merged')
  yield* branches.merge({ id: merged, commit: true, by: ada(8_000_003), at: '2026-06-03T00:00:00Z', approval: false })
  return { open, ready, review, closed, merged }
})

/** A run with a scope that has ended. */
const recordedRun = (server: number) =>
  Effect.gen(function* () {
    const id = yield* newRun
    const counts = { created: 1, updated: 0, deleted: 0, unchanged: 0, held_back: 0 }
    yield* (yield* Runs).recordScope({
      id,
      serverId: server,
      result: {
        ...{ scope: { resource: 'datastores', server: 'a' }, outcome: 'landed', reason: null, counts },
        ...{ started: may(1), ended: may(2) },
      },
    })
    return id
  })

/** A guest with a copy that lags. */
const copiedGuest = Effect.gen(function* () {
  yield* newScope('origin', [11, 12, 13, 14])
  yield* newScope('copy', [11, 12, 13])
})

/** An empty database with rows of every kind whose stored values are checked. */
export const verifiedFleet = Effect.gen(function* () {
  const server = yield* everyList
  yield* missingRows
  const branches = yield* everyBranch
  yield* copiedGuest
  return { server, branches, run: yield* recordedRun(server) }
})
