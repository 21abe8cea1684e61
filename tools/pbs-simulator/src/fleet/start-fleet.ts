import { type Simulator, type SimulatorOptions, startSimulator } from '../simulator.ts'
import type { Profile } from '../state/profile.ts'

/** How to start a fleet. */
export interface FleetOptions {
  readonly servers: number
  /** Snapshots of all servers together; each gets an equal part. */
  readonly snapshots: number
  readonly seed?: number
  readonly host?: string
  /** One per server; 0 or left out takes a free one. */
  readonly ports?: readonly number[]
  /** Releases by turns. Default 4.2 and 3.2, so that two servers or more show both. */
  readonly profileMix?: readonly Profile[]
  readonly now?: number
  readonly clock?: SimulatorOptions['clock']
  readonly failureDelayMs?: number
}

const defaultMix: readonly Profile[] = ['4.2', '3.2', '4.2', '4.0']
const timezones = ['Europe/Vienna', 'America/New_York', 'Asia/Kolkata', 'UTC']

/** `pbs-a` … `pbs-z`, then `pbs-27` and on. */
const nameOf = (index: number): string => `pbs-${index < 26 ? String.fromCharCode(97 + index) : index + 1}`

/** The options that server `index` of a fleet is started with; a pure function of the fleet's options. */
const optionsOf = (fleet: FleetOptions, index: number) => {
  const mix = fleet.profileMix ?? defaultMix
  const base = Math.floor(fleet.snapshots / fleet.servers)
  return {
    name: nameOf(index),
    host: fleet.host ?? '127.0.0.1',
    port: fleet.ports?.[index] ?? 0,
    profile: mix[index % mix.length] ?? '4.2',
    seed: (fleet.seed ?? 1) * 1009 + index,
    snapshots: index === 0 ? fleet.snapshots - base * (fleet.servers - 1) : base,
    timezone: timezones[index % timezones.length] ?? 'UTC',
    // The first server can be read wholly; the others show stores that cannot.
    unreadableStores: index > 0,
    ...(fleet.now === undefined ? {} : { now: fleet.now }),
    ...(fleet.clock === undefined ? {} : { clock: fleet.clock }),
    ...(fleet.failureDelayMs === undefined ? {} : { failureDelayMs: fleet.failureDelayMs }),
  }
}

/** Running servers that end together: a list of them, which also has a name, `servers`. */
export type Fleet = readonly Simulator[] & {
  readonly servers: readonly Simulator[]
  readonly close: () => Promise<void>
}

/** Starts `pbs-a`, `pbs-b`, …; deterministic by seed. When one cannot start, the others are ended. */
export const startFleet = async (options: FleetOptions): Promise<Fleet> => {
  const servers: Simulator[] = []
  const close = async () => {
    await Promise.all(servers.map((server) => server.close()))
  }
  try {
    for (let index = 0; index < options.servers; index += 1)
      servers.push(await startSimulator(optionsOf(options, index)))
  } catch (error) {
    await close()
    throw error
  }
  return Object.assign([...servers], { servers, close })
}
