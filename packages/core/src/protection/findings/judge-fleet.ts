import { judgeSync, type SyncFacts } from './copy-findings.ts'
import { type DatastoreFacts, judgeDatastore } from './datastore-findings.ts'
import { type Judged, keyOfJudged } from './finding.ts'
import { type GroupCounts, type GroupFacts, judgeGroup, judgeGroupCounts } from './group-findings.ts'
import { type JudgedJob, judgeJob } from './job-findings.ts'
import { judgeServer, type ServerFacts } from './server-findings.ts'
import {
  type BranchFacts,
  type HeldFacts,
  judgeBranch,
  judgeHeld,
  judgeWorkers,
  type WorkerFacts,
} from './work-findings.ts'

/**
 * What is known of everything that findings are about. Of servers and datastores it is all of them;
 * of other objects those that are not well, and those that have a finding.
 */
export interface FleetFacts {
  readonly servers: ReadonlyArray<ServerFacts>
  readonly datastores: ReadonlyArray<DatastoreFacts>
  readonly jobs: ReadonlyArray<JudgedJob>
  readonly groups: ReadonlyArray<GroupFacts>
  readonly groupCounts: ReadonlyArray<GroupCounts>
  readonly syncs: ReadonlyArray<SyncFacts>
  readonly held: ReadonlyArray<HeldFacts>
  readonly branches: ReadonlyArray<BranchFacts>
  readonly workers: WorkerFacts
}

/** Judges everything, by the keys of findings. */
export function judgeFleet(facts: FleetFacts): ReadonlyMap<string, Judged> {
  const counts = Map.groupBy(facts.groupCounts, ({ datastore }) => datastore)
  const judgements = [
    ...facts.servers.flatMap(judgeServer),
    ...facts.datastores.flatMap(judgeDatastore),
    ...facts.jobs.flatMap(judgeJob),
    ...facts.groups.flatMap(judgeGroup),
    ...facts.datastores.flatMap((store) => judgeGroupCounts(store, counts.get(store.id) ?? [])),
    ...facts.syncs.map(judgeSync),
    ...facts.held.map(judgeHeld),
    ...facts.branches.map(judgeBranch),
    judgeWorkers(facts.workers),
  ]
  return new Map(judgements.map((judgement) => [keyOfJudged(judgement), judgement]))
}
