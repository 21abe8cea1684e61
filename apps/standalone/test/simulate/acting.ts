import type { Random } from '@netbox-pbs/pbs-simulator'
import { type Effect, Exit } from 'effect'
import { faultsOfWindow } from './judge-sync.ts'
import type { UserPorts } from './simulated-system.ts'
import { look, type Scene } from './simulation.ts'

const minute = 60_000

/** What a user did: the value; null where the process was killed or the store failed. */
export async function act<A, E>(scene: Scene, what: string, work: Effect.Effect<A, E, UserPorts>): Promise<A | null> {
  const exit = await scene.system.asUser(work)
  if (exit === null) return null
  if (Exit.isSuccess(exit)) return exit.value
  scene.world.note(`${what} failed: ${String(exit.cause)}`)
  if (exit.cause._tag === 'Die') scene.found.push(`${what}: ${String(exit.cause)}`)
  return null
}

export const requestId = (random: Random) => {
  const hex = random.hex(32)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
}
/** The user of a request. */
export const actor = (random: Random) => ({ user: 'ada', requestId: requestId(random) })

const openRuns = async (scene: Scene): Promise<ReadonlyArray<number>> =>
  (await scene.asks.sql<{ id: number }>(`select id from runs where status in ('pending', 'running') order by id`)).map(
    ({ id }) => Number(id),
  )

/** Waits until no run is open, and starts again what was killed. */
export async function untilRunsEnd(scene: Scene): Promise<void> {
  const { world, system, database } = scene
  let looked = 0
  const ended = await world.until(
    async () => {
      reviveKilled(scene)
      if (world.time.now - looked < 1000 || !database.isFree) return false
      looked = world.time.now
      return (await openRuns(scene)).length === 0
    },
    24 * 60 * minute,
  )
  if (!ended) {
    const runs = await scene.asks.sql(
      `select r.id, r.status, j.server_id, j.state, j.error from runs r left join run_jobs j on j.run_id = r.id where status in ('pending', 'running')`,
    )
    scene.found.push(`a run did not end within a day: ${JSON.stringify(runs)}`)
  }
  if (!(await world.until(() => system.gatewayIsUp && system.user?.isAlive === true && database.isFree, 10 * minute)))
    scene.found.push('the gateway did not start within ten minutes')
}

/** Starts a program again soon after it was killed. */
function reviveKilled(scene: Scene): void {
  const { system, tally } = scene
  if (system.gateway?.isAlive !== true) {
    if (system.gateway !== null) tally.add('crashes of the gateway')
    system.startGateway()
  }
  if (system.user?.isAlive === false) {
    tally.add('crashes of the process of users')
    void system.startUser()
  }
  for (const worker of system.workers)
    if (!worker.isAlive) {
      tally.add('crashes of a worker')
      system.startWorker(worker.name)
    }
}

/** Judges main by what lists were answered since the last step, and takes it as the new beginning. */
export async function judgeWindow(scene: Scene, runs: number): Promise<void> {
  const after = await look(scene)
  const answered = new Map<string, Map<string, Array<number>>>()
  for (const server of scene.servers) {
    const lists = new Map<string, Array<number>>()
    for (const { path, version } of server.answered) lists.set(path, [...(lists.get(path) ?? []), version])
    answered.set(server.state.name, lists)
    server.answered = []
  }
  const { history, main: before, edits, excused } = scene
  const from = scene.openSince ?? history.version
  scene.found.push(...faultsOfWindow({ history, from, before, after, edits, excused, answered, runs }))
  scene.found.push(...(await scene.log.faults(scene.asks, after)))
  scene.main = after
  scene.openSince = null
}
