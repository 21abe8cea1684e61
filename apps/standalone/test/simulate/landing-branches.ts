import { Branches } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { differingScopes, scopeDigests } from '../crash/scope-digests.ts'
import { act, actor, judgeWindow, untilRunsEnd } from './acting.ts'
import { statementFaults } from './simulated-database.ts'
import type { UserPorts } from './simulated-system.ts'
import type { Scene } from './simulation.ts'

/** What a user does with branches. */
export const inBranches = <A, E>(
  scene: Scene,
  what: string,
  use: (port: Branches['Type']) => Effect.Effect<A, E, UserPorts>,
) => scene.world.result(act(scene, what, Effect.flatMap(Branches, use)), what)

/** Says so when main is not as it was. */
export async function expectSame(
  scene: Scene,
  before: Awaited<ReturnType<typeof scopeDigests>>,
  what: string,
): Promise<void> {
  const scopes = differingScopes(before, await scopeDigests(scene.asks))
  if (scopes.length > 0) scene.found.push(`${what} changed main: ${scopes.join(', ')}`)
}

interface BranchState {
  readonly status: string
}

export const stateOf = async (scene: Scene, id: number): Promise<string> =>
  (await scene.asks.sql<BranchState>('select status from branches where id = $1', [id]))[0]?.status ?? 'none'

/** Lands a branch, perhaps with a fault in the middle: all of it, or nothing. */
export async function mergeWithFaults(scene: Scene, id: number): Promise<string> {
  const { world, database, system } = scene
  const { plan } = world
  const before = await scopeDigests(scene.asks)
  const choice = plan.pick(['main', 'branch'] as const)
  await inBranches(scene, 'checking a branch', (port) => port.check({ id }))
  await inBranches(scene, 'resolving conflicts', (port) =>
    port.resolve({ id, filter: { resolved: false }, resolution: { choice }, user: 'ada' }),
  )
  const merge = (commit: boolean) => (port: Branches['Type']) =>
    port.merge({ id, commit, by: actor(plan), at: new Date().toISOString(), approval: false })
  const dry = await inBranches(scene, 'trying a merge', merge(false))
  await expectSame(scene, before, 'a dry run of a merge')
  const fault = plan.chance(0.4) ? plan.pick(statementFaults) : null
  if (fault !== null && system.user !== null) database.arm(system.user, fault, plan.upTo(40))
  const merged = await inBranches(scene, 'merging', merge(true))
  database.disarm()
  await untilRunsEnd(scene)
  const status = await stateOf(scene, id)
  if (status !== 'merged') await expectSame(scene, before, `a merge that ended as ${status}`)
  if (merged !== null && dry !== null && JSON.stringify(dry.counts) !== JSON.stringify(merged.counts))
    scene.found.push(`a merge changed ${JSON.stringify(merged.counts)}, and its dry run ${JSON.stringify(dry.counts)}`)
  if (status === 'merged') scene.tally.add('merges')
  return `its merge${fault === null ? '' : ` meets ${fault} and`} leaves it ${status}`
}

/** Decides on branches of syncs that wait for a user: each is merged or closed. */
export async function settleReviews(scene: Scene, merges: () => boolean): Promise<string> {
  const open = await scene.asks.sql<{ id: number }>(
    `select id from branches where kind = 'sync' and status in ('open', 'in_review', 'ready') order by id`,
  )
  const ends: Array<string> = []
  const from = scene.openSince
  for (const { id } of open) {
    for (const [key, { presence }] of scene.main) if (presence !== 'listed') scene.excused.add(key)
    if (merges()) {
      // What a user merges may be older than the last list.
      scene.openSince = 0
      for (const key of scene.main.keys()) scene.excused.add(key)
      ends.push(await mergeWithFaults(scene, Number(id)))
    }
    if ((await stateOf(scene, Number(id))) !== 'merged')
      await inBranches(scene, 'closing a branch', (port) => port.close({ id: Number(id), status: 'closed' }))
  }
  scene.openSince ??= from ?? scene.history.version
  await judgeWindow(scene, 2)
  return ends.length === 0 ? '' : `, and ${ends.join(', and ')}`
}
