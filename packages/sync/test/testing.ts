export {
  branchesContract,
  changeSetsContract,
  endpointsContract,
  heldDeletionsContract,
  type InventoryUnderTest,
  inventoryWritesContract,
  queueContract,
  requestCostsContract,
  retentionTurnsContract,
  runsContract,
  schedulesContract,
  serverObservationsContract,
  settingsContract,
  sourceContract,
  workersContract,
} from '@netbox-pbs/testing/contract'
export type { FleetServer } from './memory/fleet.ts'
export { MemorySystem } from './memory/system.ts'
