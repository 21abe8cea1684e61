import { SettingsStore } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { scopeDigests } from '../crash/scope-digests.ts'
import { act, actor, judgeWindow } from './acting.ts'
import { expectSame, inBranches, mergeWithFaults, settleReviews, stateOf } from './landing-branches.ts'
import { look, type Scene, type Step } from './simulation.ts'
import { quietSync } from './steps.ts'

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
  const edits = `a user edits ${edited.length} snapshots in a branch${synced} and ${end}`
  if ((await stateOf(scene, id)) !== 'merged' || !plan.chance(0.4)) return edits
  return `${edits}; ${await revert(scene, id)}`
}

/** A user reverts a merged branch; what a sync would do again then waits for a review. */
async function revert(scene: Scene, id: number): Promise<string> {
  const { world, tally } = scene
  const { plan } = world
  const before = await scopeDigests(scene.asks)
  const request = { id, name: `revert of ${id} ${plan.hex(4)}`, user: 'ada', by: actor(plan) }
  const opened = await inBranches(scene, 'reverting a branch', (port) => port.revert({ ...request, commit: true }))
  await expectSame(scene, before, 'a revert that is not merged')
  if (opened === null) return 'it could not be reverted'
  // What comes back may be older than the last list.
  scene.openSince = 0
  for (const key of scene.main.keys()) scene.excused.add(key)
  const end = await mergeWithFaults(scene, opened.id)
  if ((await stateOf(scene, opened.id)) === 'merged') tally.add('reverts')
  else await inBranches(scene, 'closing a branch', (port) => port.close({ id: opened.id, status: 'closed' }))
  for (const key of (await look(scene)).keys()) scene.excused.add(key)
  await judgeWindow(scene, 1)
  return `it is reverted, and ${end}`
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
  scene.openSince = from
  return `${what}, staged${await settleReviews(scene, () => world.plan.chance(0.5))}`
}
