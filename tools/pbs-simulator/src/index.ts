export { Fault, type FaultInput } from './faults/fault.ts'
export type { RequestChange } from './faults/request-changes.ts'
export type { RequestMatch } from './faults/request-match.ts'
export type { SimulatedToken, SimulatedTokens } from './fleet/accounts.ts'
export { emptyGroup, emptyNamespace, emptyState, emptyStore } from './fleet/empty-state.ts'
export { type GenerateOptions, generateState } from './fleet/generate-state.ts'
export { finishedSnapshot, unfinishedSnapshot } from './fleet/special-groups.ts'
export { type Fleet, type FleetOptions, startFleet } from './fleet/start-fleet.ts'
export { handleRequest } from './http/handle-request.ts'
export type { RecordedRequest } from './http/request-log.ts'
export type { SimulatedResponse } from './http/response.ts'
export { type Recorder, startRecorder } from './recorder.ts'
export { type Simulator, type SimulatorOptions, startSimulator } from './simulator.ts'
export { countSnapshots } from './state/count-snapshots.ts'
export { type Evolution, type EvolveOptions, evolve } from './state/evolve.ts'
export {
  addNamespace,
  addSnapshot,
  findGroup,
  findNamespace,
  findStore,
  type GroupAddress,
  grant,
  moveGroup,
  pruneGroup,
  removeGroup,
  removeNamespace,
  removeStore,
  revoke,
  setMaintenance,
  setMounted,
} from './state/operations.ts'
export type * from './state/pbs-state.ts'
export { atLeast, type Profile, profiles } from './state/profile.ts'
export { createRandom, type Random } from './state/random.ts'
export { runSyncJob, type SyncRun } from './state/run-sync-job.ts'
export { countOf, expandGroup, isFinished, newestOf, snapshotsOf } from './state/series.ts'
export { createCertificate } from './tls/certificate.ts'
