import { resources } from '@netbox-pbs/core'
import { SettingsStore } from '@netbox-pbs/core/ports'
import { cancelRun, changeServer, startRun } from '@netbox-pbs/sync'
import { Effect } from 'effect'
import { act, actor, judgeWindow, untilRunsEnd } from './acting.ts'
import { faultsOfQuietRun, readRun } from './judge-sync.ts'
import { look, type Step } from './simulation.ts'

const minute = 60_000

/** A sync that a user cancels on its way: what it had landed stays, nothing else of it comes. */
export const cancelledSync: Step = async (scene) => {
  const { world, history, states, tally } = scene
  const { plan } = world
  const before = scene.main
  scene.openSince = history.version
  const started = await world.result(
    act(scene, 'starting a run', startRun({ resources, servers: null, trigger: 'manual', mode: 'full', user: 'ada' })),
    'starting a run',
  )
  if (started === null) return 'a sync to cancel could not be started'
  // A worker takes the job within 15 seconds, and reads for less than one.
  const millis = plan.pick([0, 15_000]) + plan.upTo(1500)
  await world.until(() => false, millis)
  await world.result(act(scene, 'cancelling a run', cancelRun({ id: started.id })), 'cancelling a run')
  await untilRunsEnd(scene)
  const run = await readRun(scene.asks, started.id)
  if (run.status === 'cancelled') tally.add('cancelled runs')
  await judgeWindow(scene, 1)
  scene.found.push(...faultsOfQuietRun(run, before, scene.main, states))
  return `a full sync that is cancelled after ${millis} ms ends as ${run.status}`
}

/** Syncs that a schedule starts while a user does nothing. */
export const scheduledSyncs: Step = async (scene) => {
  const { world, history, tally } = scene
  scene.openSince = history.version
  const every = async (sync_interval_minutes: number) =>
    world.result(
      act(
        scene,
        'changing the schedule',
        Effect.flatMap(SettingsStore, (settings) => settings.update({ sync_interval_minutes })),
      ),
      'changing the schedule',
    )
  const count = async () =>
    Number((await scene.asks.sql<{ n: number }>(`select count(*) as n from runs where trigger = 'schedule'`))[0]?.n)
  const before = await count()
  await every(5)
  // The worker that looks first begins to count.
  await world.until(() => false, minute)
  world.time.leap(6 * minute)
  await world.until(() => false, minute)
  await untilRunsEnd(scene)
  await every(0)
  await untilRunsEnd(scene)
  const runs = (await count()) - before
  tally.add('scheduled runs', runs)
  await judgeWindow(scene, Math.max(1, runs))
  return `${runs} scheduled syncs end`
}

/** A user gives a server another name; what follows the first dot is ours to choose (see `stateName`). */
export const renameServer: Step = async (scene) => {
  const { world, states, tally, history } = scene
  const { plan } = world
  scene.openSince = history.version
  await look(scene)
  const state = plan.pick(states)
  const [row] = await scene.asks.sql<{ id: number }>('select id from servers where host = $1', [state.name])
  const name = plan.pick([state.name, `${state.name}.${plan.hex(4)}`])
  const changed = changeServer({ id: Number(row?.id), values: { name }, secret: null, actor: actor(plan) })
  await world.result(act(scene, 'renaming a server', changed), 'renaming a server')
  await untilRunsEnd(scene)
  await judgeWindow(scene, 1)
  tally.add('renames')
  return `${state.name} is renamed to ${name}`
}
