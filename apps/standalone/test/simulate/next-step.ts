import { stagedSync, userBranch } from './branch-steps.ts'
import { cancelledSync, renameServer, scheduledSyncs } from './operator-steps.ts'
import type { Scene, Step } from './simulation.ts'
import { busySync, changeSight, changeWeather, decide, edit, evolve, leap, quietSync, repair } from './steps.ts'

/** What may follow, and how often. */
const shares: ReadonlyArray<readonly [number, Step]> = [
  [44, evolve],
  [16, edit],
  [6, quietSync('full')],
  [5, quietSync('light')],
  [8, busySync],
  [7, changeWeather],
  [3, changeSight],
  [3, leap],
  [3, decide],
  [4, userBranch],
  [2, stagedSync],
  [2, cancelledSync],
  [1, scheduledSyncs],
  [2, renameServer],
  [1, repair],
]

/** What follows, by the seed. */
export function nextStep({ world }: Scene): Step {
  let kind = world.plan.upTo(shares.reduce((sum, [share]) => sum + share, 0))
  for (const [share, step] of shares) {
    kind -= share
    if (kind < 0) return step
  }
  return evolve
}
