import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { startPart } from '../child.ts'
import { evenFleet, growEvery } from '../even-fleet.ts'
import type { GatewayAnswer, GatewayTask } from '../gateway/gateway.ts'
import { type IngestOptions, type Sync, syncOnce } from '../ingest/ingest.ts'
import { migrated } from '../ingest/store.ts'
import { pgliteStores, pgStores } from '../ingest/stores.ts'
import type { WorkerTask } from '../ingest/worker.ts'
import type { Result } from '../measure.ts'

/** All resources: the tasks tell a light run what has changed. */
const resources = ['servers', 'datastores', 'snapshots', 'jobs', 'tasks'] as const

/**
 * Runs from a simulated PBS through gateway and worker to committed rows: the first one, one in full and light ones that
 * find nothing changed and a new snapshot in every hundredth group. Each has the requests that it made of the PBS.
 */
export async function* light({ snapshots, ...options }: Omit<IngestOptions, 'profiles'>): AsyncGenerator<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'netbox-pbs-bench-'))
  // An hour ago, so that no task of it has ended after the first run.
  const state = evenFleet(snapshots, Math.floor(Date.now() / 1000) - 3600)
  const simulator = await startSimulator({ fleet: state, failureDelayMs: 0 })
  try {
    const { synced, drop } = options.store === 'pg' ? await pgStores(options.databaseUrl) : pgliteStores(folder)
    const key = randomBytes(24).toString('hex')
    const { port, fingerprint, tokens } = simulator
    const { tokenId, secret } = tokens.audit
    const task = { simulator: { port, fingerprint, tokenId, secret }, key }
    const gateway = await startPart<GatewayTask, GatewayAnswer>('gateway/gateway', task)
    try {
      await migrated(synced)
      const at = { store: synced, gatewayUrl: gateway.answer.url, gatewayKey: key, measureReads: false, resources }
      const sync = async (title: string, task: Pick<WorkerTask, 'mode'>): Promise<Result> => {
        simulator.discardRequests()
        const measured = await syncOnce({ ...at, ...task }, [])
        return resultOf({ title: `light ${options.store}`, snapshots }, title, measured, requestsOf(simulator))
      }
      yield await sync('first', { mode: 'full' })
      const full = await sync('full_unchanged', { mode: 'full' })
      yield full
      const yardstick = { title: 'full', seconds: full.seconds }
      yield { ...(await sync('light_unchanged', { mode: 'light' })), yardstick }
      growEvery(state, 100)
      yield { ...(await sync('light_1pct', { mode: 'light' })), yardstick }
    } finally {
      await gateway.stop()
      await drop()
    }
  } finally {
    await simulator.close()
    await rm(folder, { recursive: true, force: true })
  }
}

const resultOf = (
  { title: bench, snapshots: n }: { readonly title: string; readonly snapshots: number },
  title: string,
  { seconds, waits: _, ...measured }: Sync,
  requests: Result['requests'] & object,
): Result => ({ bench, case: title, n, seconds, rowsPerSecond: n / seconds, ...measured, requests })

/** How many lists of groups and of snapshots were asked for, and how many requests made in all. */
function requestsOf({ requests, counts }: Simulator): Result['requests'] & object {
  const named = (name: string) => requests.filter(({ path }) => path.endsWith(`/${name}`)).length
  return { all: counts.requests, groups: named('groups'), snapshots: named('snapshots') }
}
