import type { PbsState } from '@netbox-pbs/pbs-simulator'
import { createRandom } from '@netbox-pbs/pbs-simulator'
import type { Asks } from '../crash/asks.ts'
import { newFleet } from './evolving-fleet.ts'
import { FleetHistory } from './fleet-history.ts'
import { faultsOfMain, type Main, readMain } from './invariants.ts'
import { LogReplay } from './judge-log.ts'
import { seedRandomness } from './seeded-randomness.ts'
import { SimulatedDatabase } from './simulated-database.ts'
import { SimulatedServer } from './simulated-server.ts'
import { migratedDump, openEngine, SimulatedSystem } from './simulated-system.ts'
import { SimulatedTime } from './simulated-time.ts'
import { Tally } from './tally.ts'
import { beginning, Stuck, World } from './world.ts'

/** Everything that the steps of a simulation work on. */
export interface Scene {
  readonly world: World
  readonly states: ReadonlyArray<PbsState>
  readonly servers: ReadonlyArray<SimulatedServer>
  readonly history: FleetHistory
  readonly database: SimulatedDatabase
  readonly system: SimulatedSystem
  readonly asks: Asks
  readonly tally: Tally
  /** Faults that were found since the last look. */
  readonly found: Array<string>
  readonly log: LogReplay
  /** Main as it was after the last step. */
  main: Main
  /** Values that users gave to fields, by key and field, since the last full run without a fault. */
  readonly edits: Map<string, Readonly<Record<string, ReadonlyArray<unknown>>>>
  /** Keys that a user made, deleted, or confirmed the deletion of. */
  readonly excused: Set<string>
  /** The version of the fleet when the oldest run that is still open began. */
  openSince: number | null
}

/** One step: what it is called once it is done. */
export type Step = (scene: Scene) => Promise<string>

/** What became of a seed. */
export interface Outcome {
  readonly seed: number
  /** The steps that were made, in words. */
  readonly steps: ReadonlyArray<string>
  /** What was found after the last step; none: every promise held. */
  readonly faults: ReadonlyArray<string>
  readonly traceHash: string
  readonly tally: Tally
}

export interface SimulationOptions {
  readonly seed: number
  readonly steps: number
  /** Chooses the next step. */
  readonly next: (scene: Scene, number: number) => Step
  /** The steps before the first and after the last. */
  readonly first: Step
  readonly last: Step
  /** Changes the system before it starts, for a test that expects a fault. */
  readonly sabotage?: (scene: Scene) => void
  readonly trace?: (line: string) => void
}

let dump: Blob | undefined

/** The same dump in every process: made at one time and with one randomness. */
async function migrated(): Promise<Blob> {
  if (dump !== undefined) return dump
  const endRandomness = seedRandomness(createRandom(0))
  const time = new SimulatedTime(beginning)
  time.install(false)
  try {
    dump = await migratedDump()
    return dump
  } finally {
    time.uninstall()
    endRandomness()
  }
}

/** Runs one seed until a promise is broken or its steps are done. */
export async function simulate(options: SimulationOptions): Promise<Outcome> {
  const { seed, steps, trace } = options
  const template = await migrated()
  const world = new World(seed, trace ?? null)
  const endRandomness = seedRandomness(createRandom(seed * 4))
  world.time.install(false)
  const engine = await openEngine(template)
  world.time.install(true)
  const done: Array<string> = []
  const found: Array<string> = []
  const tally = new Tally()
  try {
    const states = newFleet(world.plan)
    const history = new FleetHistory(states)
    const servers = states.map(
      (state) =>
        new SimulatedServer(
          world,
          state,
          () => history.version,
          (fault) => tally.add(`pbs ${fault}`),
        ),
    )
    const database = new SimulatedDatabase(world, engine.pglite, (fault) => tally.add(`database ${fault}`))
    const system = new SimulatedSystem({
      world,
      database,
      parsers: engine.parsers,
      servers,
      onInternalError: (line) => found.push(line),
    })
    const scene: Scene = {
      world,
      states,
      servers,
      history,
      database,
      system,
      asks: { sql: (text, values) => database.ask(text, values) },
      tally,
      found,
      log: new LogReplay(),
      main: new Map(),
      edits: new Map(),
      excused: new Set(),
      openSince: null,
    }
    options.sabotage?.(scene)
    let judged = -1
    const make = async (step: Step) => {
      done.push(await step(scene))
      // What no statement has touched is as it was.
      if (judged !== database.sent) found.push(...(await faultsOfMain(scene.asks)))
      judged = database.sent
      world.note(done.at(-1) ?? '')
    }
    try {
      await make(options.first)
      for (let number = 1; number <= steps && found.length === 0; number += 1) await make(options.next(scene, number))
      if (found.length === 0) await make(options.last)
      if (found.length === 0) found.push(...(await world.result(system.verify(), 'verifying what is stored')))
    } catch (error) {
      if (!(error instanceof Stuck)) throw error
      found.push(error.message)
    }
    for (const process of system.processes) process.kill()
    await world.settle()
    return { seed, steps: done, faults: found, traceHash: world.traceHash, tally }
  } finally {
    world.time.uninstall()
    endRandomness()
    await engine.close()
  }
}

/** What main is now, once nothing is under way. */
export const look = async ({ asks, database, world }: Scene): Promise<Main> => {
  await world.until(() => database.isFree, 60 * 60_000)
  return readMain(asks)
}
