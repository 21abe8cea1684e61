import type {
  ApiTokens,
  Branches,
  Changes,
  DatastoreUsage,
  Endpoints,
  HeldDeletionsStore,
  Inventory,
  InventoryLists,
  InventoryWrites,
  Queue,
  RequestCosts,
  Runs,
  ServerObservations,
  Sessions,
  SettingsStore,
  Workers,
} from '@netbox-pbs/core/ports'

/** The services that the API needs. */
export type ApiServices =
  | Branches
  | InventoryLists
  | Changes
  | DatastoreUsage
  | InventoryWrites
  | HeldDeletionsStore
  | Inventory
  | RequestCosts
  | Runs
  | ServerObservations
  | Queue
  | ApiTokens
  | Sessions
  | SettingsStore
  | Endpoints
  | Workers
