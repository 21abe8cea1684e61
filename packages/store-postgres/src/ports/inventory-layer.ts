import type {
  Branches,
  Breaches,
  ChangeSets,
  Changes,
  DatastoreUsage,
  DefinitionStore,
  Drills,
  EncryptionKeys,
  Findings,
  Guests,
  HeldDeletionsStore,
  Insights,
  Inventory,
  InventoryLists,
  InventoryWrites,
  Objectives,
  RequestCosts,
  Retention,
  Runs,
  Schedules,
  ServerObservations,
  Workers,
} from '@netbox-pbs/core/ports'
import { Layer } from 'effect'
import { changesLayer } from '../change-log/changes.ts'
import type { Database } from '../database/database.ts'
import { definitionStoreLayer } from '../definitions/definition-store.ts'
import { findingsLayer } from '../findings/findings.ts'
import { guestsLayer } from '../guests/guests-layer.ts'
import { heldDeletionsLayer } from '../held-deletions/held-deletions.ts'
import { inventoryReadsLayer } from '../inventory/inventory.ts'
import { inventoryListsLayer } from '../lists/inventory-lists.ts'
import { datastoreUsageLayer, serverObservationsLayer } from '../observations/observations.ts'

import { breachesLayer } from '../protection/breaches.ts'
import { drillsLayer } from '../protection/drills.ts'
import { encryptionKeysLayer } from '../protection/encryption-keys.ts'
import { insightsLayer } from '../protection/insights.ts'

import { objectivesLayer } from '../protection/objectives.ts'
import { retentionLayer } from '../retention/retention.ts'
import { requestCostsLayer } from '../runs/request-costs.ts'
import { runsLayer } from '../runs/runs.ts'
import { schedulesLayer } from '../schedules/schedules.ts'
import { workersLayer } from '../workers/workers.ts'
import { branchesLayer } from './branches.ts'
import { changeSetsLayer } from './change-sets.ts'
import { inventoryWritesLayer } from './inventory-writes.ts'

/**
 * Every port of the inventory, of its change log, of the runs that change it and of their schedule,
 * on one database.
 */
export const inventoryLayer: Layer.Layer<
  | Inventory
  | Branches
  | ChangeSets
  | Changes
  | ServerObservations
  | InventoryLists
  | InventoryWrites
  | Guests
  | HeldDeletionsStore
  | Insights
  | Objectives
  | Breaches
  | RequestCosts
  | Runs
  | Retention
  | Schedules
  | DatastoreUsage
  | DefinitionStore
  | EncryptionKeys
  | Drills
  | Findings
  | Workers,
  never,
  Database
> = Layer.mergeAll(
  inventoryReadsLayer,
  branchesLayer,
  changeSetsLayer,
  changesLayer,
  serverObservationsLayer,
  datastoreUsageLayer,
  definitionStoreLayer,
  encryptionKeysLayer,
  drillsLayer,
  findingsLayer,
  inventoryListsLayer,
  inventoryWritesLayer,
  heldDeletionsLayer,
  insightsLayer,
  guestsLayer,
  objectivesLayer,
  breachesLayer,
  requestCostsLayer,
  runsLayer,
  schedulesLayer,
  retentionLayer,
  workersLayer,
)
