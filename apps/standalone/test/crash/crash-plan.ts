import type { Random } from '@netbox-pbs/pbs-simulator'
import { type Phase, phases } from './phases.ts'

/** The steps of the harness, and their number. */
export interface CrashOptions {
  readonly servers: number
  readonly snapshots: number
  /** Workers killed in the middle of a sync. */
  readonly kills: number
  /** Database crashes in the middle of a sync, by turns of the postmaster alone and of all of it. */
  readonly restarts: number
  /** Gateways killed in the middle of a sync. */
  readonly gatewayKills: number
  /** Of all these, how many one sync gets at most. */
  readonly perRound: number
  /** Whether the first sync, which only creates, is left alone. */
  readonly quietFirst: boolean
  readonly seed: number
}

/** One thing that is killed, when a worker is seen in the phase and `jitter` milliseconds have passed. */
export interface Kill {
  readonly victim: 'worker' | 'gateway' | 'database'
  readonly signal: 'SIGKILL' | 'SIGQUIT'
  readonly phase: Phase
  readonly jitter: number
}

const longest = { reading: 600, staging: 100, landing: 60, clearing: 10 } satisfies Record<Phase, number>

/** All kills in their order. */
export function planKills(options: CrashOptions, random: Random): ReadonlyArray<Kill> {
  const kill = (victim: Kill['victim'], signal: Kill['signal'] = 'SIGKILL'): Kill => {
    const phase = random.pick(phases)
    return { victim, signal, phase, jitter: random.upTo(longest[phase]) }
  }
  const rare = [
    ...Array.from({ length: options.restarts }, (_, n) => kill('database', n % 2 === 0 ? 'SIGKILL' : 'SIGQUIT')),
    ...Array.from({ length: options.gatewayKills }, () => kill('gateway')),
  ]
  const kills = Array.from({ length: options.kills }, () => kill('worker'))
  for (const one of rare) kills.splice(random.upTo(kills.length + 1), 0, one)
  return kills
}
