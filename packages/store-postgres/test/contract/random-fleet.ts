import type { Facts } from '@netbox-pbs/core'
import type { EditValues, WritableModel } from '@netbox-pbs/core/ports'
import { create, groupFacts, landOnce, may, type OneByOne, snapshotFacts, writesOneByOne } from '@netbox-pbs/testing'
import { Effect } from 'effect'
import type { Random } from './random.ts'

/** Rows that edits may write, by model. */
export type Ids = Readonly<Record<WritableModel, Array<number>>>

type Writes = OneByOne

const states = ['', 'ok', 'failed']
const spaces = ['', 'a', 'a/b']
const guests = ['100', '101', '102', '200']

let requests = 0
const actor = () => ({ user: 'ann', requestId: `6d0f2f7e-0000-4000-8000-${String(++requests).padStart(12, '0')}` })

/** Three servers, what edits have made below them, and what a source has listed of two namespaces. */
export const randomFleet = (random: Random) =>
  Effect.gen(function* () {
    const writes = yield* writesOneByOne
    const servers = yield* writes.create({
      model: 'server',
      rows: ['c', 'a', 'b'].map((name) => ({ name, host: `${name}.example.com`, token_id: 't@pbs!x' })),
      actor: actor(),
    })
    const ids: Ids = { server: [...servers], datastore: [], snapshot: [], job: [] }
    for (const [place, server] of servers.entries()) {
      yield* makeSome(writes, random, ids, { server, count: 12 })
      if (place === 2) continue
      const name = ['c', 'a'][place] ?? ''
      const listed = guests.flatMap((id) => [1, 2, 3].filter(() => random.is(0.7)).map((day) => [id, day] as const))
      yield* landOnce({ resource: 'snapshots', server: name, datastore: 'tank', namespace: 'listed' }, [
        {
          model: 'group',
          changes: guests.map((id) => create('group', groupFacts(server, id, { namespace: 'listed' }))),
        },
        {
          model: 'snapshot',
          changes: listed.map(([id, day]) => {
            const more: Partial<Facts<'snapshot'>> = { namespace: 'listed', verification_state: random.pick(states) }
            return create('snapshot', snapshotFacts(server, id, may(day), more))
          }),
        },
      ])
      yield* landOnce({ resource: 'namespaces', server: name, datastore: 'tank' }, [
        {
          model: 'namespace',
          changes: ['', 'listed'].map((path) => create('namespace', { server, datastore_name: 'tank', path })),
        },
      ])
    }
    return ids
  })

/**
 * Some writes of a user, in main or in a branch; those whose key is taken, or whose row is gone,
 * fail without effect.
 */
export const writeSome = (writes: Writes, random: Random, ids: Ids, count: number) =>
  Effect.gen(function* () {
    for (let nth = 0; nth < count; nth++) {
      const model = random.pick(['snapshot', 'snapshot', 'snapshot', 'datastore', 'job', 'server'] as const)
      const kind = random.next()
      if (kind < 0.25) yield* makeSome(writes, random, ids, { server: random.pick(ids.server), count: 1 })
      if (ids[model].length === 0 || kind < 0.25) continue
      const id = random.pick(ids[model])
      if (kind < 0.45 && (model !== 'server' || random.is(0.3))) yield* writes.remove({ model, id, actor: actor() })
      else
        yield* writes
          .update({ model, id, values: valuesOf(random, model), actor: actor() })
          .pipe(Effect.catchTag('KeyTaken', () => Effect.succeed(false)))
    }
  })

const makeSome = (
  writes: Writes,
  random: Random,
  ids: Ids,
  { server, count }: { readonly server: number; readonly count: number },
) =>
  Effect.gen(function* () {
    for (let nth = 0; nth < count; nth++) {
      const model = random.pick(['snapshot', 'snapshot', 'snapshot', 'datastore', 'job'] as const)
      const row = newRow(random, model, server)
      const made = yield* writes.create({ model, rows: [row], actor: actor() }).pipe(
        Effect.catchTag('KeyTaken', () => Effect.succeed([])),
        // A server that is gone takes its rows along.
        Effect.catchTag('StoreFailed', () => Effect.succeed([])),
      )
      ids[model].push(...made)
    }
  })

function newRow(random: Random, model: 'snapshot' | 'datastore' | 'job', server: number): EditValues {
  if (model === 'datastore') return { server, name: random.pick(['tank', 'pool', 'disk']), path: '/mnt', used_bytes: 7 }
  if (model === 'job')
    return { server, job_type: 'verify', job_id: random.pick(['v1', 'v2', 'v3']), last_run_state: 'ok', store: 'tank' }
  const backup_time = may(1 + random.upTo(9))
  const place = { datastore_name: 'tank', namespace: random.pick(spaces) }
  return { server, ...place, backup_type: 'vm', backup_id: random.pick(guests), backup_time, ...facts(random) }
}

const owners = ['', 'a@pbs', 'B@pbs!x']

const crypts: ReadonlyArray<EditValues> = [
  { crypt_mode: 'none', key_fingerprint: '' },
  { crypt_mode: 'encrypt', key_fingerprint: '01:02' },
  { crypt_mode: 'sign-only', key_fingerprint: '01:02' },
  { crypt_mode: 'mixed', key_fingerprint: '' },
]

const upids = [
  '',
  ...['pbs-a', 'pbs-b', 'pbs-z'].map(
    (node) => `UPID:${node}:000003F2:00001A2B:00000900:6A1DF2D4:verify:tank:root@pam:`,
  ),
  'UPID:pbs-a:000003F2:00001A2B:00000900:69000000:verify:main:root@pam:',
]

const facts = (random: Random): EditValues => {
  const size = random.is(0.2) ? null : random.upTo(1000)
  return {
    size_bytes: size,
    verification_state: random.pick(states),
    comment: random.pick(['', 'x', 'y']),
    protected: random.is(0.5),
    owner: owners[(size ?? 0) % owners.length] ?? '',
    ...crypts[(size ?? 0) % crypts.length],
    verification_upid: upids[(size ?? 0) % upids.length] ?? '',
  }
}

function valuesOf(random: Random, model: WritableModel): EditValues {
  const tags = random.some(['red', 'green', 'blue'], 0.5)
  const owned: EditValues = random.is(0.3)
    ? { tags }
    : random.is(0.3)
      ? { custom_fields: Object.fromEntries(random.some(['p', 'q'], 0.6).map((name) => [name, random.upTo(3)])) }
      : {}
  switch (model) {
    case 'server':
      return random.is(0.3) ? { ...owned, name: random.pick(['a', 'd', 'e']) } : { ...owned, port: random.upTo(9999) }
    case 'datastore':
      return {
        ...owned,
        comment: random.pick(['', 'z']),
        ...(random.is(0.2) ? { name: random.pick(['n1', 'n2']) } : {}),
      }
    case 'job':
      return { ...owned, schedule: random.pick(['daily', 'hourly']) }
    case 'snapshot': {
      const moved: EditValues = random.is(0.3)
        ? { namespace: random.pick(spaces), backup_id: random.pick(guests), backup_time: may(1 + random.upTo(20)) }
        : {}
      return { ...owned, ...facts(random), ...moved }
    }
  }
}
