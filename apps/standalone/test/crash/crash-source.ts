import {
  createRandom,
  type Fleet,
  finishedSnapshot,
  type GroupState,
  type PbsState,
  type Random,
  type Simulator,
  startFleet,
} from '@netbox-pbs/pbs-simulator'

const start = 1_790_000_000
const day = 86_400
const guest = { store: 'tank', backupType: 'ct', backupId: '8' }

/** A simulated fleet that changes between syncs, and never during one. */
export class CrashSource {
  readonly #random: Random
  #round = 0

  private constructor(
    private readonly fleet: Fleet,
    seed: number,
  ) {
    this.#random = createRandom(seed)
  }

  static async start(servers: number, snapshots: number, seed: number): Promise<CrashSource> {
    return new CrashSource(await startFleet({ servers, snapshots, seed, now: start, failureDelayMs: 0 }), seed)
  }

  get servers(): ReadonlyArray<Simulator> {
    return this.fleet.servers
  }

  get states(): ReadonlyArray<PbsState> {
    return this.servers.map(({ state }) => state)
  }

  /** Gives the next sync something to create, update and delete in every server. */
  change(): void {
    this.#round++
    for (const server of this.servers) {
      server.evolve({ verify: this.#random.chance(0.5), backups: 0.2 + this.#random.upTo(80) / 100 })
      this.#passingNamespace(server)
      this.#regroup(server)
      this.#reword(server.state)
    }
  }

  close(): Promise<void> {
    return this.fleet.close()
  }

  /** A namespace of few snapshots comes, and the last round's goes with them. */
  #passingNamespace(server: Simulator): void {
    const ns = `passing/round-${this.#round}`
    server.addNamespace(guest.store, ns)
    for (let age = 1; age <= 4; age++) {
      server.addSnapshot({ ...guest, ns }, finishedSnapshot(server.state.now - age * day))
    }
    if (this.#round > 1) server.removeNamespace(guest.store, `passing/round-${this.#round - 1}`)
  }

  /** One group vanishes, a few change owner or notes; never so much that the guard would ask. */
  #regroup(server: Simulator): void {
    for (const store of server.state.datastores) {
      for (const { path: ns, groups } of store.namespaces) {
        if (groups.length < 6 || store.maintenance !== null) continue
        const { backupType, backupId } = this.#random.pick(groups)
        server.removeGroup({ store: store.name, ns, backupType, backupId })
        for (let n = 0; n < 3; n++) this.#retouch(this.#random.pick(groups))
      }
    }
  }

  #retouch(group: GroupState): void {
    if (this.#random.chance(0.5)) group.owner = this.#random.pick(['root@pam', 'backup@pbs', 'backup@pbs!pve'])
    group.notes = `seen in round ${this.#round}`
    if (group.series !== null) group.series.notes = `round ${this.#round}`
  }

  #reword({ datastores, jobs }: PbsState): void {
    for (const store of datastores.slice(0, 2)) store.comment = `round ${this.#round}`
    for (const job of [...jobs.prune, ...jobs.verify].slice(0, 2)) job.comment = `round ${this.#round}`
  }
}
