import type {
  ApiTokens,
  Branches,
  Breaches,
  Changes,
  DatastoreUsage,
  DefinitionStore,
  Deliveries,
  Drills,
  EncryptionKeys,
  Endpoints,
  EventRules,
  Findings,
  Guests,
  HeldDeletionsStore,
  Identities,
  Insights,
  Inventory,
  InventoryLists,
  InventoryWrites,
  Objectives,
  Queue,
  RequestCosts,
  Runs,
  ServerObservations,
  Sessions,
  SettingsStore,
  Users,
  Webhooks,
  Workers,
} from '@netbox-pbs/core/ports'
import type { Passwords } from './accounts/passwords.ts'
import type { NetBoxTokens } from './netbox/netbox-tokens.ts'
import type { OpenId } from './openid/openid.ts'
import type { RecentAnswers } from './rest/recent-answers.ts'

/** The services that requests are answered with. */
export type ApiServices = ApiNeeds | NetBoxTokens | OpenId | Passwords | RecentAnswers

/** The services that the API is given. */
export type ApiNeeds =
  | Branches
  | Breaches
  | InventoryLists
  | Changes
  | DatastoreUsage
  | DefinitionStore
  | InventoryWrites
  | Drills
  | Findings
  | HeldDeletionsStore
  | Identities
  | Insights
  | Inventory
  | Guests
  | Objectives
  | RequestCosts
  | Runs
  | ServerObservations
  | Queue
  | ApiTokens
  | Sessions
  | SettingsStore
  | EncryptionKeys
  | Endpoints
  | Users
  | Workers
  | Deliveries
  | EventRules
  | Webhooks
