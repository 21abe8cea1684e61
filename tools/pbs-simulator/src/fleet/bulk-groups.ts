import type { GroupState, NamespaceState, VerifyRun } from '../state/pbs-state.ts'
import { fingerprintOf, type Random } from '../state/random.ts'
import { emptyGroup } from './empty-state.ts'

const DAY = 86_400
const GIB = 1024 ** 3
const roles = ['web', 'db', 'mail', 'git', 'dns', 'proxy', 'app', 'cache', 'ci', 'ldap', 'files', 'monitor']
const crypts = ['none', 'none', 'none', 'none', 'encrypt', 'encrypt', 'sign-only', 'mixed'] as const
const owners = ['backup@pbs!pve', 'backup@pbs!pve', 'backup@pbs!pve', 'backup@pbs', 'root@pam']

const typeOf = (dice: number): string => (dice < 14 ? 'vm' : dice < 19 ? 'ct' : 'host')

/** A guest with `count` daily snapshots, the newest within the last day before `now`. */
export const bulkGroup = (
  random: Random,
  options: {
    readonly number: number
    readonly count: number
    readonly now: number
    readonly verifyRuns: VerifyRun[]
    readonly backupType?: string
  },
): GroupState => {
  const { number, count, now } = options
  const backupType = options.backupType ?? typeOf(random.upTo(20))
  const name = `${random.pick(roles)}${String(number % 100).padStart(2, '0')}`
  const crypt = random.pick(crypts)
  const newest = now - 700 - random.upTo(20 * 3600)
  return emptyGroup(backupType, backupType === 'host' ? `${name}-${number}` : String(number), {
    owner: random.pick(owners),
    notes: random.chance(0.3) ? name : null,
    series: {
      seed: random.seed(),
      base: newest - (count - 1) * DAY,
      step: DAY,
      from: 0,
      to: count,
      disks: Array.from({ length: 1 + random.upTo(3) }, () => (4 + random.upTo(120)) * GIB),
      crypt,
      fingerprint: crypt === 'none' ? null : fingerprintOf(random),
      notes: backupType === 'host' ? null : name,
      verifyRuns: random.chance(0.1) ? null : options.verifyRuns,
    },
  })
}

/** Fills namespaces with exactly `total` snapshots, shared out by weight. */
export const fillNamespaces = (
  random: Random,
  namespaces: readonly { readonly namespace: NamespaceState; readonly weight: number }[],
  options: {
    readonly total: number
    readonly now: number
    readonly verifyRuns: VerifyRun[]
    readonly firstNumber: number
  },
): void => {
  const { total, now, verifyRuns } = options
  const perGroup = Math.min(30, Math.max(3, Math.round(Math.sqrt(total) / 2)))
  const weights = namespaces.reduce((sum, { weight }) => sum + weight, 0)
  let left = total
  let number = options.firstNumber
  for (const [index, { namespace, weight }] of namespaces.entries()) {
    let share = index === namespaces.length - 1 ? left : Math.min(left, Math.round((total * weight) / weights))
    left -= share
    while (share > 0) {
      const count = Math.min(share, Math.max(1, perGroup - 2 + random.upTo(5)))
      namespace.groups.push(bulkGroup(random, { number, count, now, verifyRuns }))
      share -= count
      number += 1
    }
  }
}
