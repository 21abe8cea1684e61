import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatTimestamp } from '@netbox-pbs/core'
import { type ApiProcess, startApiProcess } from '../api-process.ts'
import { fillMain, serverName } from '../branch/fill-main.ts'
import { migrated, type StoreAt, withDriver } from '../ingest/store.ts'
import { pgStores } from '../ingest/stores.ts'
import type { Result } from '../measure.ts'

/** The size of the inventory around the writes, and the database. */
export interface WritesOptions {
  readonly snapshots: number
  readonly store: 'pg' | 'pglite'
  /** Rounds, of which the fastest counts. */
  readonly repeat: number
  /** A PostgreSQL server to use instead of a temporary one; its role may create databases. */
  readonly databaseUrl: string | null
}

/** Objects of one request: as many as it may have. */
const together = 1000

/** Objects that are written one at a time, as the yardstick; their time is counted up to that of the others. */
const single = 40

const list = '/api/plugins/pbs/snapshots/'
const steps = ['create', 'update', 'delete'] as const

/** A thousand snapshots are created, updated and deleted with one request each, over HTTP, in main and in a branch. */
export async function* writes(options: WritesOptions): AsyncGenerator<Result> {
  const { store, databaseUrl, snapshots } = options
  if (store === 'pg') {
    const { synced, drop } = await pgStores(databaseUrl)
    try {
      await fill(synced, snapshots)
      yield* served(await startApiProcess({ script: 'start:api', databaseUrl: synced.url }), options)
    } finally {
      await drop()
    }
    return
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'netbox-pbs-bench-'))
  try {
    await fill({ _tag: 'pglite', dataDir }, snapshots)
    yield* served(await startApiProcess({ script: 'start', dataDir }), options)
  } finally {
    await rm(dataDir, { recursive: true })
  }
}

async function fill(store: StoreAt, snapshots: number): Promise<void> {
  await migrated(store)
  await withDriver(store, (driver) => fillMain(driver, snapshots))
}

async function* served(api: ApiProcess, options: WritesOptions): AsyncGenerator<Result> {
  try {
    yield* measured(api, null, options)
    const { schema_id } = await ask(api, 'POST', '/api/plugins/pbs/branches/', { body: { name: 'writes' } })
    yield* measured(api, schema_id, options)
  } finally {
    await api.stop()
  }
}

async function* measured(
  api: ApiProcess,
  branch: string | null,
  { store, snapshots, repeat }: WritesOptions,
): AsyncGenerator<Result> {
  const place = branch === null ? 'main' : 'branch'
  await round(api, branch, 0)
  const rounds: Array<Round> = []
  for (let nth = 1; nth <= repeat; nth += 1) rounds.push(await round(api, branch, nth))
  for (const [at, step] of steps.entries()) {
    const [fastest, alone] = [fastestOf(rounds, 'together', at), fastestOf(rounds, 'single', at)]
    const each = together / single
    yield {
      bench: `writes ${store}`,
      case: `${step}_${together}_in_${place}`,
      n: snapshots,
      seconds: fastest.seconds,
      rowsPerSecond: together / fastest.seconds,
      peakRssMb: process.resourceUsage().maxRSS / 1024,
      ...(fastest.cpuSeconds === undefined ? {} : { cpuSeconds: fastest.cpuSeconds }),
      yardstick: {
        title: 'one at a time',
        seconds: alone.seconds * each,
        ...(alone.cpuSeconds === undefined ? {} : { cpuSeconds: alone.cpuSeconds * each }),
      },
    }
  }
}

/** The cost of a step; the processor time is that of the API, on the embedded engine with the database. */
interface Cost {
  readonly seconds: number
  readonly cpuSeconds: number | undefined
}

/** The cost of each step, with one request and with one for each object. */
type Round = Readonly<Record<'together' | 'single', ReadonlyArray<Cost>>>

function fastestOf(rounds: ReadonlyArray<Round>, way: keyof Round, step: number): Cost {
  const costs = rounds.flatMap((round) => round[way][step] ?? [])
  const [fastest] = costs.toSorted((a, b) => a.seconds - b.seconds)
  if (fastest === undefined) throw new Error('no round was measured')
  return fastest
}

async function round(api: ApiProcess, branch: string | null, nth: number): Promise<Round> {
  const timed = async (work: () => Promise<void>): Promise<Cost> => {
    const [begun, cpu] = [performance.now(), api.cpuSeconds()]
    await work()
    const after = api.cpuSeconds()
    return {
      seconds: (performance.now() - begun) / 1000,
      cpuSeconds: cpu === undefined || after === undefined ? undefined : Number((after - cpu).toFixed(2)),
    }
  }
  const send = (method: string, path: string, body?: unknown) => ask(api, method, path, { branch, body })
  let rows: ReadonlyArray<{ readonly id: number }> = []
  const ofAll = [
    await timed(async () => {
      rows = await send('POST', list, bodies(together, nth, 'together'))
    }),
    await timed(async () => {
      await send(
        'PATCH',
        list,
        rows.map(({ id }) => ({ id, comment: `round ${nth}` })),
      )
    }),
    await timed(async () => {
      await send(
        'DELETE',
        list,
        rows.map(({ id }) => ({ id })),
      )
    }),
  ]
  const ids: Array<number> = []
  const ofEach = [
    await timed(async () => {
      for (const body of bodies(single, nth, 'single')) ids.push((await send('POST', list, body)).id)
    }),
    await timed(async () => {
      for (const id of ids) await send('PATCH', `${list}${id}/`, { comment: `round ${nth}` })
    }),
    await timed(async () => {
      for (const id of ids) await send('DELETE', `${list}${id}/`)
    }),
  ]
  return { together: ofAll, single: ofEach }
}

/** Snapshots as a fleet has them: twenty a group, in four namespaces of one server. */
const bodies = (count: number, nth: number, kind: string) =>
  Array.from({ length: count }, (_, at) => ({
    server: { name: serverName(5) },
    datastore_name: 'tank',
    namespace: `ns-0000${at % 4}`,
    backup_type: 'vm',
    backup_id: `${kind}-${Math.floor(at / 20)}`,
    backup_time: formatTimestamp(Date.UTC(2027, 0, 1 + nth) + at * 60_000),
    size_bytes: 10_000_000_000 + at,
    owner: 'sync@pbs!netbox',
    comment: 'made',
  }))

interface Request {
  readonly branch?: string | null
  readonly body?: unknown
}

// biome-ignore lint/suspicious/noExplicitAny: the answers of the product's own API, read for their ids
async function ask({ url, token }: ApiProcess, method: string, path: string, { branch, body }: Request): Promise<any> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      Authorization: `Token ${token}`,
      'Content-Type': 'application/json',
      ...(branch == null ? {} : { 'X-NetBox-Branch': branch }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text.slice(0, 500)}`)
  return text === '' ? null : JSON.parse(text)
}
