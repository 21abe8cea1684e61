import { type RunMode, resources } from '@netbox-pbs/core'
import { HeldDeletionsStore, InventoryWrites, SettingsStore, type WritableModel } from '@netbox-pbs/core/ports'
import { confirmHeld, connectServer, dismissHeld, startRun } from '@netbox-pbs/sync'
import { Effect, Redacted } from 'effect'
import { act, actor, judgeWindow, requestId, untilRunsEnd } from './acting.ts'
import { evolveOnce, heal, type Sight, setSight } from './evolving-fleet.ts'
import { keyOf } from './fleet-history.ts'
import { faultsOfQuietRun, readRun } from './judge-sync.ts'
import { settleReviews } from './landing-branches.ts'
import { statementFaults } from './simulated-database.ts'
import { fine, requestFaults } from './simulated-server.ts'
import type { UserPorts } from './simulated-system.ts'
import { look, type Scene, type Step } from './simulation.ts'

const minute = 60_000

/** An edit of a source fact ends with the run that lists its row; in a store that is offline it stays. */
function dropRestored({ main, states, edits, history }: Scene): void {
  const { version } = history
  for (const key of edits.keys()) {
    const { facts } = main.get(key) ?? {}
    const name = facts?.['datastore_name'] ?? facts?.['store'] ?? facts?.['name']
    const store = states.find((one) => one.name === facts?.['server'])?.datastores.find((one) => one.name === name)
    if (facts === undefined || !(history.wasAbsent(key, version, version) || store?.maintenance?.mode === 'offline'))
      edits.delete(key)
  }
}

const start = (scene: Scene, mode: RunMode) =>
  act(scene, 'starting a run', startRun({ resources, servers: null, trigger: 'manual', mode, user: 'ada' }))

const setSettings = (scene: Scene, change: Parameters<SettingsStore['Type']['update']>[0]) =>
  act(
    scene,
    'changing the settings',
    Effect.flatMap(SettingsStore, (settings) => settings.update(change)),
  )

/** Connects the servers and syncs them once. */
export const begin: Step = async (scene) => {
  const { system, world, states } = scene
  system.startGateway()
  for (const name of ['worker-1', 'worker-2']) system.startWorker(name)
  await world.result(system.startUser(), 'starting the process of users')
  await world.until(() => system.gatewayIsUp, minute)
  await world.result(setSettings(scene, { sync_interval_minutes: 0, guard_min_rows: 3 }), 'the first settings')
  for (const state of states) {
    const token = state.accounts.find(({ authId }) => authId === 'inventory@pbs!reader')
    const values = {
      name: state.name,
      host: state.name,
      port: 8007,
      token_id: token?.authId ?? '',
      verify_ssl: false,
      timeout_seconds: 5,
    }
    const secret = Redacted.make(token?.secret ?? '')
    const connected = connectServer({ values, secret, actor: actor(world.plan), untested: true })
    if ((await world.result(act(scene, 'connecting a server', connected), 'connecting')) === null)
      scene.found.push(`${state.name} could not be connected`)
  }
  await quietSync('full')(scene)
  return `${states.length} servers are connected and synced`
}

/** Changes of the fleet while nothing runs. */
export const evolve: Step = async (scene) => {
  const { world, states, history } = scene
  const changes = Array.from({ length: 1 + world.plan.upTo(4) }, () => evolveOnce(states, world.plan))
  history.changed()
  return changes.join('; ')
}

/** A sync during which nothing changes but what the run writes. Requests may fail. */
export const quietSync =
  (mode: RunMode, lands: 'landed' | 'staged' = 'landed'): Step =>
  async (scene) => {
    const { world, states, tally, history } = scene
    const before = scene.main
    scene.openSince = history.version
    const started = await world.result(start(scene, mode), 'starting a run')
    if (started === null) return 'a sync could not be started'
    tally.add(`${mode} runs`)
    await untilRunsEnd(scene)
    const run = await readRun(scene.asks, started.id)
    await judgeWindow(scene, 1)
    const full = mode === 'full' && lands === 'landed'
    if (full) scene.found.push(...faultsOfQuietRun(run, before, scene.main, states))
    // A scope that was reverted waits for a user once.
    const waits = lands === 'landed' && [...run.outcomes.values()].includes('staged')
    if (full && run.status === 'completed' && !waits) dropRestored(scene)
    if (waits) await settleReviews(scene, () => true)
    return `a ${mode} sync ends as ${run.status}${full ? ', quietly' : ''}`
  }

/** A sync while the fleet changes, users edit, requests and statements fail and programs are killed. */
export const busySync: Step = async (scene) => {
  const { world, tally, system, database, history } = scene
  const { plan } = world
  const mode: RunMode = plan.chance(0.3) ? 'light' : 'full'
  scene.openSince = history.version
  const happened: Array<string> = []
  const started = world.result(start(scene, mode), 'starting a run')
  if (plan.chance(0.5))
    for (let faults = 1 + plan.upTo(3); faults > 0; faults -= 1) {
      const process = plan.pick([
        ...system.workers,
        ...system.workers,
        ...(system.gateway === null ? [] : [system.gateway]),
      ])
      const fault = plan.pick(statementFaults)
      const after = plan.upTo(150)
      database.arm(process, fault, after)
      happened.push(`${process.name} meets ${fault} after ${after} statements`)
    }
  if (plan.chance(0.2)) system.gatewayFaults = 0.2
  const run = await started
  if (run === null) {
    await untilRunsEnd(scene)
    await judgeWindow(scene, 1)
    return 'a busy sync could not be started'
  }
  tally.add(`${mode} runs`)
  for (let events = plan.upTo(5); events > 0; events -= 1) {
    await world.until(() => false, plan.upTo(400))
    await world.until(() => database.isFree, 60 * minute)
    const kind = plan.upTo(10)
    if (kind < 5) {
      happened.push(evolveOnce(scene.states, plan))
      history.changed()
    } else if (kind < 8) happened.push(await editOnce(scene))
    else {
      const process = plan.pick([...system.workers, ...(system.gateway === null ? [] : [system.gateway])])
      process.kill()
      happened.push(`${process.name} is killed`)
    }
  }
  await untilRunsEnd(scene)
  system.gatewayFaults = 0
  database.disarm()
  const { status } = await readRun(scene.asks, run.id)
  await judgeWindow(scene, 1)
  return `a ${mode} sync ends as ${status}, while ${happened.length === 0 ? 'nothing happens' : happened.join('; ')}`
}

const writable = { datastores: 'datastore', snapshots: 'snapshot', jobs: 'job' } as const
type Editable = keyof typeof writable

/** An edit of a user in main. */
async function editOnce(scene: Scene): Promise<string> {
  const { world } = scene
  const { plan } = world
  const model: Editable = plan.pick(['datastores', 'snapshots', 'snapshots', 'jobs'])
  const rows = [...(await look(scene)).entries()].filter(([, row]) => row.model === model)
  if (plan.chance(0.15)) return makeSnapshot(scene)
  if (rows.length === 0) return 'nothing to edit'
  const [key, { id, facts }] = plan.pick(rows)
  const writes = (work: (port: InventoryWrites['Type'], of: WritableModel) => Effect.Effect<unknown, unknown>) =>
    world.result(
      act(
        scene,
        `editing ${key}`,
        Effect.flatMap(InventoryWrites, (port) => work(port, writable[model])),
      ),
      `editing ${key}`,
    )
  if (plan.chance(0.2)) {
    scene.excused.add(key)
    // A group that no list has goes with its last snapshot.
    const group = keyOf('groups', facts)
    if (model === 'snapshots' && scene.main.get(group)?.presence !== 'listed') scene.excused.add(group)
    if (model === 'datastores') for (const other of scene.main.keys()) scene.excused.add(other)
    await writes((port, of) => port.remove({ model: of, rows: [{ id }], actor: actor(plan) }))
    return `a user deletes ${key}`
  }
  const comment = plan.pick(['mine', 'theirs', ''])
  const known = scene.edits.get(key) ?? {}
  scene.edits.set(key, { ...known, comment: [...(known['comment'] ?? []), comment] })
  await writes((port, of) => port.update({ model: of, rows: [{ id, values: { comment } }], actor: actor(plan) }))
  return `a user comments ${key} with "${comment}"`
}

/** A user makes a snapshot that no server has. */
async function makeSnapshot(scene: Scene): Promise<string> {
  const { world, states } = scene
  const { plan } = world
  const server = plan.pick(states).name
  const [found] = await scene.asks.sql<{ id: number }>('select id from servers where host = $1', [server])
  const place = {
    datastore_name: 'tank',
    namespace: plan.pick(['', 'a']),
    backup_type: 'vm',
    backup_id: plan.pick(['900', '901']),
  }
  const backup_time = new Date(Date.UTC(2026, 0, 1 + plan.upTo(20))).toISOString().replace('.000Z', 'Z')
  const row = { ...place, backup_time }
  const key = keyOf('snapshots', { server, ...row })
  for (const of of [
    key,
    keyOf('groups', { server, ...place }),
    keyOf('namespaces', { server, ...place, path: place.namespace }),
    keyOf('datastores', { server, name: 'tank' }),
  ])
    scene.excused.add(of)
  const made = Effect.flatMap(InventoryWrites, (port) =>
    port.create({ model: 'snapshot', rows: [{ server: Number(found?.id), ...row }], actor: actor(plan) }),
  )
  await world.result(act(scene, `making ${key}`, made), `making ${key}`)
  return `a user makes ${key}`
}

export const edit: Step = async (scene) => {
  const { history } = scene
  scene.openSince = history.version
  const what = await editOnce(scene)
  await judgeWindow(scene, 0)
  return what
}

/** The weather on the way to a server changes. */
export const changeWeather: Step = async ({ world, servers }) => {
  const { plan } = world
  const server = plan.pick(servers)
  const kind = plan.upTo(5)
  if (kind === 0) server.weather = fine
  else if (kind === 1) server.weather = { faults: 1, kinds: [plan.pick(requestFaults)], path: /^/ }
  else if (kind === 2)
    server.weather = {
      faults: 1,
      kinds: requestFaults,
      path: plan.pick([/snapshots/, /groups/, /namespace/, /datastore$/, /verify/]),
    }
  else server.weather = { faults: plan.pick([0.02, 0.1, 0.3]), kinds: requestFaults, path: /^/ }
  const { faults, kinds, path } = server.weather
  return `${server.state.name}: ${faults === 0 ? 'no request fails' : `${faults * 100} % of ${String(path)} meet ${kinds.join(', ')}`}`
}

/** The token of a server sees more or less. */
export const changeSight: Step = async ({ world, states, history }) => {
  const state = world.plan.pick(states)
  const sight: Sight = world.plan.pick(['everything', 'everything', 'one store', 'nothing', 'no login'])
  setSight(state, sight)
  history.changed()
  return `the token of ${state.name} sees ${sight}`
}

/** Time passes, as on a machine that sleeps. */
export const leap: Step = async ({ world }) => {
  const minutes = world.plan.pick([5, 60, 60 * 30])
  world.time.leap(minutes * minute)
  await world.until(() => false, 20_000)
  return `${minutes} minutes pass`
}

/** A user decides on held deletions. */
export const decide: Step = async (scene) => {
  const { world, history } = scene
  scene.openSince = history.version
  const sets = await world.result(
    act(
      scene,
      'reading held deletions',
      Effect.flatMap(HeldDeletionsStore, (held) => held.list({ runId: null, limit: 10, offset: 0 })),
    ),
    'reading held deletions',
  )
  const set = sets?.rows[0]
  if (set === undefined) return 'nothing is held'
  const confirms = world.plan.chance(0.6)
  if (confirms) for (const [key, { presence }] of scene.main) if (presence === 'missing') scene.excused.add(key)
  const decision = { id: set.id, revision: set.revision, user: 'ada', requestId: requestId(world.plan) }
  await world.result(
    act(
      scene,
      'deciding',
      Effect.asVoid<unknown, unknown, UserPorts>(confirms ? confirmHeld(decision) : dismissHeld(decision)),
    ),
    'deciding',
  )
  await untilRunsEnd(scene)
  await judgeWindow(scene, 1)
  return `a user ${confirms ? 'confirms' : 'dismisses'} ${set.count} deletions of ${JSON.stringify(set.scope)}`
}

const reviews = async (scene: Scene): Promise<number> =>
  Number((await scene.asks.sql<{ n: number }>(`select count(*) as n from branches where kind = 'sync'`))[0]?.n)

/** Every fault ends, and good runs make main equal to the fleet. */
export const repair: Step = async (scene) => {
  const { world, servers, states, history, found } = scene
  for (const server of servers) server.weather = fine
  for (const state of states) {
    heal(state)
    for (const store of state.datastores) store.maintenance = null
  }
  history.changed()
  // What hung is asked for again after a while.
  world.time.leap(26 * 60 * minute)
  for (let run = 1; run <= 8 && found.length === 0; run += 1) {
    const waited = await reviews(scene)
    await quietSync('full')(scene)
    // Dismissed ones stay until they are confirmed.
    const sets = await scene.asks.sql<{ id: number }>(
      `select id from held_deletions where state <> 'confirmed' order by id`,
    )
    // What the first list lacked goes with the second, unless a user has to decide.
    if (run >= 2 && sets.length === 0 && waited === (await reviews(scene))) break
    for (const { id } of sets) {
      for (const [key, { presence }] of scene.main) if (presence === 'missing') scene.excused.add(key)
      await world.result(
        act(scene, 'confirming', confirmHeld({ id: Number(id), revision: null, user: 'ada' })),
        'confirming',
      )
      await untilRunsEnd(scene)
      await judgeWindow(scene, 1)
    }
  }
  const left = [...scene.main].filter(([, { presence }]) => presence !== 'listed' && presence !== 'manual')
  if (left.length > 0) found.push(`after good runs ${left[0]?.[0]} is still ${left[0]?.[1].presence}`)
  const statuses = await scene.asks.sql<{ status: string }>('select status from runs order by id desc limit 1')
  if (statuses[0]?.status !== 'completed') found.push(`without faults a run ends as ${statuses[0]?.status}`)
  scene.excused.clear()
  for (const [key, { presence }] of scene.main) if (presence === 'manual') scene.excused.add(key)
  return 'everything is repaired'
}
