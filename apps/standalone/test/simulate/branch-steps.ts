import { Branches, SettingsStore } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { differingScopes, scopeDigests } from '../crash/scope-digests.ts'
import { statementFaults } from './simulated-database.ts'
import type { UserPorts } from './simulated-system.ts'
import { look, type Scene, type Step } from './simulation.ts'
import { act, actor, judgeWindow, quietSync, untilRunsEnd } from './steps.ts'

/** What a user does with branches. */
const inBranches = <A, E>(
  scene: Scene,
  what: string,
  use: (port: Branches['Type']) => Effect.Effect<A, E, UserPorts>,
) => scene.world.result(act(scene, what, Effect.flatMap(Branches, use)), what)

/** Says so when main is not as it was. */
async function expectSame(scene: Scene, before: Awaited<ReturnType<typeof scopeDigests>>, what: string): Promise<void> {
  const scopes = differingScopes(before, await scopeDigests(scene.asks))
  if (scopes.length > 0) scene.found.push(`${what} changed main: ${scopes.join(', ')}`)
}

interface BranchState {
  readonly status: string
}

const stateOf = async (scene: Scene, id: number): Promise<string> =>
  (await scene.asks.sql<BranchState>('select status from branches where id = $1', [id]))[0]?.status ?? 'none'

/** Lands a branch, perhaps with a fault in the middle: all of it, or nothing. */
async function mergeWithFaults(scene: Scene, id: number): Promise<string> {
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

/** A user edits in a branch, which main does not see, and merges or closes it. */
export const userBranch: Step = async (scene) => {
  const { world, history } = scene
  const { plan } = world
  scene.openSince = history.version
  const rows = [...(await look(scene)).entries()].filter(([, { model }]) => model === 'snapshots')
  if (rows.length === 0) return 'there is nothing to edit in a branch'
  const name = `branch ${history.version} ${plan.hex(6)}`
  const branch = await inBranches(scene, 'opening a branch', (port) =>
    port.create({ name, kind: 'operator', description: '', user: 'ada', runId: null, review: false, by: actor(plan) }),
  )
  if (branch === null) return 'a branch could not be opened'
  const { id } = branch
  const before = await scopeDigests(scene.asks)
  const edited = Array.from({ length: 1 + plan.upTo(3) }, () => plan.pick(rows))
  const comment = `of branch ${plan.hex(2)}`
  for (const [, row] of edited)
    await inBranches(scene, 'editing in a branch', (port) =>
      plan.chance(0.2)
        ? port.overlay({ id }).writes.remove({ model: 'snapshot', rows: [{ id: row.id }], actor: actor(plan) })
        : port
            .overlay({ id })
            .writes.update({ model: 'snapshot', rows: [{ id: row.id, values: { comment } }], actor: actor(plan) }),
    )
  await expectSame(scene, before, 'a branch that is open')
  for (const [key] of edited) {
    const known = scene.edits.get(key) ?? {}
    scene.edits.set(key, { ...known, comment: [...(known['comment'] ?? []), comment] })
    scene.excused.add(key)
  }
  // Main may move under the branch.
  const synced = plan.chance(0.4) ? `, ${await quietSync('light')(scene)},` : ''
  scene.openSince = history.version
  const end = plan.chance(0.8)
    ? await mergeWithFaults(scene, id)
    : `it is ${(await inBranches(scene, 'closing a branch', (port) => port.close({ id, status: 'closed' })))?.status ?? 'not closed'}`
  if ((await stateOf(scene, id)) !== 'merged')
    await inBranches(scene, 'closing a branch', (port) => port.close({ id, status: 'closed' }))
  await judgeWindow(scene, 1)
  return `a user edits ${edited.length} snapshots in a branch${synced} and ${end}`
}

/** A sync that stages its changes in a branch, which merges by itself unless a user has to decide. */
export const stagedSync: Step = async (scene) => {
  const { world, history } = scene
  const setBranching = (branching_enabled: boolean) =>
    world.result(
      act(
        scene,
        'changing the settings',
        Effect.flatMap(SettingsStore, (settings) => settings.update({ branching_enabled })),
      ),
      'changing the settings',
    )
  const from = history.version
  await setBranching(true)
  const what = await quietSync('full', 'staged')(scene)
  await setBranching(false)
  const open = await scene.asks.sql<{ id: number }>(
    `select id from branches where kind = 'sync' and status in ('open', 'in_review', 'ready') order by id`,
  )
  const ends: Array<string> = []
  for (const { id } of open) {
    for (const [key, { presence }] of scene.main) if (presence !== 'listed') scene.excused.add(key)
    if (world.plan.chance(0.5)) {
      // What a user merges may be older than the last list.
      scene.openSince = 0
      for (const key of scene.main.keys()) scene.excused.add(key)
      ends.push(await mergeWithFaults(scene, Number(id)))
    }
    if ((await stateOf(scene, Number(id))) !== 'merged')
      await inBranches(scene, 'closing a branch', (port) => port.close({ id: Number(id), status: 'closed' }))
  }
  scene.openSince ??= from
  await judgeWindow(scene, 2)
  return `${what}, staged${ends.length === 0 ? '' : `, and ${ends.join(', and ')}`}`
}
