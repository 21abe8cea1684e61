import { Inventory } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { expect, test } from 'vitest'
import { type InventoryUnderTest, newScope, newServer } from './fleet.ts'
import { collect, create, landOnce } from './landing.ts'

/** The contract of the names of datastores and namespaces that `Inventory` finds in rows. */
export const namesInUseContract = ({ run }: InventoryUnderTest): void => {
  test('names the datastores and namespaces that rows are in once each, whether they have a row or not', async () => {
    await run(
      Effect.gen(function* () {
        const inventory = yield* Inventory
        const { server, group, facts } = yield* newScope('places', [1, 2])
        for (const namespace of ['b', 'a', 'a/b'])
          yield* landOnce({ resource: 'snapshots', server: 'places', datastore: 'tank', namespace }, [
            {
              model: 'group',
              changes: ['100', '101'].map((backup_id) => create('group', { ...group, namespace, backup_id })),
            },
            {
              model: 'snapshot',
              changes: ['100', '101'].map((backup_id) => create('snapshot', { ...facts(1), namespace, backup_id })),
            },
          ])
        yield* landOnce({ resource: 'namespaces', server: 'places', datastore: 'pond' }, [
          {
            model: 'namespace',
            changes: ['', 'x'].map((path) => create('namespace', { server, datastore_name: 'pond', path })),
          },
        ])
        const other = yield* newServer('elsewhere')
        const named = [
          collect(inventory.datastoresInUse({ serverId: server })),
          collect(inventory.namespacesInUse({ serverId: server, datastore: 'tank' })),
          collect(inventory.namespacesInUse({ serverId: server, datastore: 'pond' })),
          collect(inventory.datastoresInUse({ serverId: other })),
        ]
        expect((yield* Effect.all(named)).map((names) => names.toSorted())).toEqual([
          ['pond', 'tank'],
          ['', 'a', 'a/b', 'b'],
          [],
          [],
        ])
      }),
    )
  })
}
