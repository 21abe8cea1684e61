export { branchesContract } from './contract/branches.ts'
export { changeSetsContract } from './contract/change-sets.ts'
export { deliveriesContract } from './contract/deliveries.ts'
export { endpointsContract } from './contract/endpoints.ts'
export { meets, queried } from './contract/filter-model.ts'
export { type InventoryUnderTest, newRun, newScope } from './contract/fleet.ts'
export { heldDeletionsContract } from './contract/held-deletions.ts'
export { inventoryWritesContract } from './contract/inventory-writes.ts'
export {
  appendAll,
  change,
  collect,
  create,
  datastoreFacts,
  groupFacts,
  jobFacts,
  landOnce,
  may,
  openFor,
  type Part,
  remove,
  rootOf,
  serverFacts,
  serverIdOf,
  snapshotFacts,
} from './contract/landing.ts'
export { objectivesContract, objectiveValues } from './contract/objectives.ts'
export { serverObservationsContract } from './contract/observations.ts'
export { type OneByOne, oneByOne, writesOneByOne } from './contract/one-by-one.ts'
export { queueContract } from './contract/queue.ts'
export { requestCostsContract } from './contract/request-costs.ts'
export { retentionTurnsContract } from './contract/retention-turns.ts'
export type { RunsUnderTest } from './contract/run-driver.ts'
export { runsContract } from './contract/runs.ts'
export { schedulesContract } from './contract/schedules.ts'
export { settingsContract } from './contract/settings.ts'
export { sourceContract } from './contract/source.ts'
export { newBranch } from './contract/stage-scope.ts'
export { ruleValues, webhooksContract, webhookValues } from './contract/webhooks.ts'
export { workersContract } from './contract/workers.ts'
export { type DumpTemplate, embeddedDump } from './embedded-dump.ts'
export { type DatabaseFault, databaseFaults } from './faults/database-faults.ts'
export {
  type Attempt,
  allCases,
  caseTitle,
  type FaultCase,
  type FaultedWork,
  someCases,
  type WorkSession,
  withFault,
  withoutFault,
} from './faults/faulted-work.ts'
export { type PostgresRelay, postgresRelay } from './faults/postgres-relay.ts'
export { type FreezingProxy, freezingProxy } from './freezing-proxy.ts'
export { type PostgresOptions, type PostgresServer, startPostgres } from './postgres-server.ts'
export { postgresUrl, type Template } from './postgres-url.ts'
export { builtFolder, builtPrograms, compiledOnce, type ProgramArguments, type ProgramName } from './programs.ts'
export {
  type ReceivedResponse,
  type ResponseCheck,
  type ResponseCheckOptions,
  responseCheck,
} from './response-check.ts'
