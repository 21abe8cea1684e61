import type {
  ApiTokens,
  Endpoints,
  HandWrites,
  Inventory,
  InventoryLists,
  Queue,
  Runs,
  Sessions,
  SettingsStore,
} from '@netbox-pbs/core/ports'

/** What the API needs of the world. */
export type ApiServices =
  | InventoryLists
  | HandWrites
  | Inventory
  | Runs
  | Queue
  | ApiTokens
  | Sessions
  | SettingsStore
  | Endpoints
