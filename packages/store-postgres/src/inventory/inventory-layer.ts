import type {
  Branches,
  ChangeSets,
  Changes,
  HandWrites,
  HeldSets,
  Inventory,
  InventoryLists,
  Runs,
  ServerObservations,
} from '@netbox-pbs/core/ports'
import { Layer } from 'effect'
import { branchesLayer } from '../branches/branches.ts'
import { changeSetsLayer } from '../change-sets/change-sets.ts'
import { changesLayer } from '../changes/changes.ts'
import type { Database } from '../database/database.ts'
import { handWritesLayer } from '../hand-writes/hand-writes.ts'
import { heldSetsLayer } from '../held-sets/held-sets.ts'
import { inventoryListsLayer } from '../lists/inventory-lists.ts'
import { serverObservationsLayer } from '../observations/server-observations.ts'
import { runsLayer } from '../runs/runs.ts'
import { inventoryReadsLayer } from './inventory.ts'

/** Every port of the inventory, of its change log and of the runs that change it, on one database. */
export const inventoryLayer: Layer.Layer<
  Inventory | Branches | ChangeSets | Changes | ServerObservations | InventoryLists | HandWrites | HeldSets | Runs,
  never,
  Database
> = Layer.mergeAll(
  inventoryReadsLayer,
  branchesLayer,
  changeSetsLayer,
  changesLayer,
  serverObservationsLayer,
  inventoryListsLayer,
  handWritesLayer,
  heldSetsLayer,
  runsLayer,
)
