import { naturalKey } from '@netbox-pbs/core'
import { Inventory } from '@netbox-pbs/core/ports'
import { collect, create, groupFacts, landOnce, may, rootOf, serverFacts, snapshotFacts } from '@netbox-pbs/testing'
import { Effect } from 'effect'
import { rows } from './branching.ts'

/** A new server of this name, by its own landing; its id. */
export const newServer = (name: string) =>
  Effect.gen(function* () {
    yield* landOnce({ resource: 'servers' }, [{ model: 'server', changes: [create('server', serverFacts(name))] }])
    const [row] = yield* rows<{ id: number }>(`select id from servers where name = '${name}'`)
    return row?.id ?? 0
  })

/** The groups in the root namespace of `tank`. */
export const groupsOf = (serverId: number) =>
  Effect.flatMap(Inventory, (inventory) => collect(inventory.groups({ serverId, datastore: 'tank', namespace: '' })))

/** Their snapshots, by id. */
export const snapshotsOf = (serverId: number) =>
  Effect.gen(function* () {
    const inventory = yield* Inventory
    const groups = yield* groupsOf(serverId)
    const found = yield* collect(inventory.snapshots({ groupIds: groups.map(({ id }) => id) }))
    return found.toSorted((a, b) => a.id - b.id)
  })

/** A group of vm/100 with snapshots on some days of May. */
export const newGroup = (name: string, days: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const server = yield* newServer(name)
    const group = groupFacts(server, '100')
    yield* landOnce(rootOf(name), [
      { model: 'snapshot', changes: days.map((day) => create('snapshot', snapshotFacts(server, '100', may(day)))) },
      {
        model: 'group',
        changes: [create('group', group)],
        digests: [{ key: naturalKey('group', group), digest: 'first', listed: days.length }],
      },
    ])
    return { server, scope: rootOf(name), group }
  })
