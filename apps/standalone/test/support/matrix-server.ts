import {
  findStore,
  finishedSnapshot,
  generateState,
  type JobState,
  type PbsState,
  type Profile,
  type Simulator,
  startSimulator,
} from '@netbox-pbs/pbs-simulator'

const now = 1_790_000_000

/** A small server that has a scope of every kind: two stores, each with a namespace, and jobs of all kinds. */
export async function startMatrixServer(name: string, seed: number, profile: Profile): Promise<Simulator> {
  const fleet = generateState({ name, seed, profile, snapshots: 70, now })
  fleet.datastores = fleet.datastores.filter((store) => ['tank', 'vault'].includes(store.name))
  for (const store of fleet.datastores)
    store.namespaces = store.namespaces.filter(({ path }) => ['', 'site-a'].includes(path))
  return startSimulator({ fleet, failureDelayMs: 0 })
}

/** A copy of what a server holds, to compare with later. */
export const stateNow = ({ state }: Simulator): PbsState => structuredClone(state)

/** Changes something in every scope of a server: rows come, go and change. */
export function moveOn(pbs: Simulator, round: number): void {
  const { state } = pbs
  const passing = `passing-${round}`
  const time = now - 100_000 + round
  for (const store of ['tank', 'vault']) {
    const holder = findStore(state, store)
    for (const { path } of holder.namespaces.filter(({ path: ns }) => ns.startsWith('passing')))
      pbs.removeNamespace(store, path)
    pbs.addNamespace(store, passing)
    pbs.addSnapshot({ store, ns: passing, backupType: 'ct', backupId: '77' }, finishedSnapshot(time))
    for (const { path, groups } of holder.namespaces.filter(({ path: ns }) => !ns.startsWith('passing'))) {
      const old = groups.find(({ backupId }) => backupId === `7${round - 1}`)
      if (old !== undefined) pbs.removeGroup({ store, ns: path, backupType: 'vm', backupId: old.backupId })
      const at = { store, ns: path, backupType: 'vm', backupId: `7${round}` }
      pbs.addSnapshot(at, finishedSnapshot(time))
      pbs.addSnapshot(at, finishedSnapshot(time + 60, { notes: `round ${round}` }))
      pbs.addSnapshot({ ...at, backupType: 'host', backupId: 'steady' }, finishedSnapshot(time))
      pbs.pruneGroup({ ...at, backupType: 'host', backupId: 'steady' }, 2)
    }
    holder.comment = `round ${round}`
    holder.gcSchedule = `0${round % 10}:30`
    holder.usage.used += 4096
    holder.gc.lastRun = { state: 'OK', endtime: time }
  }
  state.jobs.verify = renewed(state.jobs.verify, 'v', round)
  state.jobs.prune = renewed(state.jobs.prune, 'p', round)
  state.jobs.sync = renewed(state.jobs.sync, 's', round)
  state.jobs.tape = renewed(state.jobs.tape, 't', round)
}

function renewed<J extends JobState>(jobs: J[], letter: string, round: number): J[] {
  const steady = jobs.filter(({ id }) => !id.startsWith(`${letter}-round`))
  const changed = steady.map((job) => ({ ...job, comment: `round ${round}` }))
  const [first] = changed
  return first === undefined ? changed : [...changed, { ...first, id: `${letter}-round-${round}` }]
}
