import { type ApiProcess, startApiProcess } from '../api-process.ts'
import { fillMain, serverName } from '../branch/fill-main.ts'
import { migrated, type StoreAt, withDriver } from '../ingest/store.ts'
import { pgStores } from '../ingest/stores.ts'
import type { Result } from '../measure.ts'
import { type Clients, clientsOf, type Drained, type Load, load } from './requests.ts'
import { firstSync, merge, type Writer } from './writers.ts'

/** The size to measure, and the database. */
export interface ListOptions {
  readonly snapshots: number
  /** Seconds that each kind of request is repeated for. */
  readonly seconds: number
  /** A PostgreSQL server to use instead of a temporary one; its role may create databases. */
  readonly databaseUrl: string | null
}

const list = '/api/plugins/pbs/snapshots/'
const crowd = 8
const longestPage = 1000

/** Snapshots of the sync, and changes of the merge, during which a list is read: of a hundred in main. */
const writtenShare = { sync: 0.1, merge: 0.1 } as const
const mostWritten = 100_000

/** Lists of snapshots over HTTP: pages, searches, whole lists, and pages during writes. */
export async function* lists(options: ListOptions): AsyncGenerator<Result> {
  const { synced, drop } = await pgStores(options.databaseUrl)
  try {
    await migrated(synced)
    await withDriver(synced, (driver) => fillMain(driver, options.snapshots))
    const api = await startApiProcess({ script: 'start:api', databaseUrl: synced.url })
    const clients = clientsOf(api, crowd)
    try {
      yield* pages(clients, options)
      yield* wholeLists(api, clients, options)
      yield* duringWrites(clients, synced, options)
    } finally {
      clients.close()
      await api.stop()
    }
  } finally {
    await drop()
  }
}

/** Requests by their titles: the path of each, by its number. */
async function requestsOf(
  { read }: Clients,
  snapshots: number,
): Promise<Readonly<Record<string, (nth: number) => string>>> {
  const { results } = JSON.parse(await read(`${list}?limit=1&offset=${Math.floor(snapshots / 2)}&fields=id,backup_id`))
  const { id, backup_id: backupId } = results[0] as { readonly id: number; readonly backup_id: string }
  const always = (query: string) => () => `${list}${query}`
  return {
    page: always(''),
    // Never the same page twice, so that no answer is one that was just given.
    any_page: (nth) => `${list}?offset=${(nth * 7919) % snapshots}`,
    page_of_server: always(`?server=${serverName(5)}`),
    page_of_guest: always(`?backup_id=${backupId}`),
    page_unverified: always('?verification_state__empty=true'),
    newest_first: always('?ordering=-backup_time'),
    deep_page: always(`?offset=${Math.floor(snapshots * 0.9)}`),
    page_of_1000: always(`?limit=${longestPage}`),
    brief: always('?brief=1'),
    cursor_page: (nth) => `${list}?start=${(nth * 7919) % snapshots}`,
    detail: (nth) => `${list}${nth % 2 === 0 ? id : id + 1}/`,
    q_common: always('?q=guest'),
    q_rare: always(`?q=guest-${backupId}`),
    q_none: always('?q=nothing-has-this'),
  }
}

async function* pages(clients: Clients, { snapshots, seconds }: ListOptions): AsyncGenerator<Result> {
  const requests = await requestsOf(clients, snapshots)
  for (const [title, pathOf] of Object.entries(requests)) {
    await load(clients, pathOf, { clients: 1, seconds: seconds / 10 })
    yield ofLoad(title, snapshots, await load(clients, pathOf, { clients: 1, seconds }))
    const crowded = await orRefused(load(clients, pathOf, { clients: crowd, seconds }))
    if (crowded !== null) yield { ...ofLoad(title, snapshots, crowded), clients: crowd }
  }
}

/** Nothing where too many slow requests at once are refused, as searches are. */
async function orRefused(running: Promise<Load>): Promise<Load | null> {
  try {
    return await running
  } catch (error) {
    if (error instanceof Error && error.message.includes('was answered 503')) return null
    throw error
  }
}

async function* wholeLists(api: ApiProcess, clients: Clients, { snapshots }: ListOptions): AsyncGenerator<Result> {
  yield await walk(clients, snapshots)
  for (const [title, query, more] of [
    ['csv', '?export=csv', 1],
    ['ndjson', '?export=ndjson', 0],
    ['csv_of_server', `?export=csv&server=${serverName(5)}`, null],
    ['csv_brief', '?export=csv&brief=1', 1],
    ['ndjson_newest_first', '?export=ndjson&ordering=-backup_time', 0],
    ['ndjson_by_size', '?export=ndjson&ordering=size_bytes', 0],
  ] as const) {
    const drained = await clients.drain(`${list}${query}`)
    const rows = drained.lines - (more ?? 1)
    if (more !== null && rows !== snapshots) throw new Error(`${title} has ${rows} rows of ${snapshots}`)
    yield ofWhole(title, rows, drained, api.peakRssMb())
  }
}

/** All rows by cursor, in pages of a thousand. */
async function walk({ read }: Clients, snapshots: number): Promise<Result> {
  const begun = performance.now()
  let rows = 0
  for (let next: string | null = `${list}?start=0&limit=${longestPage}`; next !== null; ) {
    const page: { readonly next: string | null; readonly results: ReadonlyArray<unknown> } = JSON.parse(
      await read(next),
    )
    rows += page.results.length
    next = page.next === null ? null : pathOf(page.next)
  }
  if (rows !== snapshots) throw new Error(`the cursor found ${rows} rows of ${snapshots}`)
  return timed('cursor_walk', rows, (performance.now() - begun) / 1000)
}

const pathOf = (address: string): string => {
  const { pathname, search } = new URL(address)
  return `${pathname}${search}`
}

/** Pages of one client alone, and while others write; the yardstick is the 99th of a hundred alone. */
async function* duringWrites(
  clients: Clients,
  store: StoreAt,
  { snapshots, seconds }: ListOptions,
): AsyncGenerator<Result> {
  const changes = (share: number) => Math.min(mostWritten, Math.ceil(snapshots * share))
  const writers: ReadonlyArray<() => Promise<Writer>> = [
    () => firstSync(store, changes(writtenShare.sync)),
    () => merge(store, snapshots, changes(writtenShare.merge)),
  ]
  const page = (nth: number) => `${list}?server=${serverName(nth % 10)}&limit=50`
  for (const prepare of writers) {
    const writer = await prepare()
    try {
      const quiet = await load(clients, page, { clients: 1, seconds })
      let written = false
      const [busy] = await Promise.all([
        load(clients, page, { clients: 1, seconds: Number.POSITIVE_INFINITY, ended: () => written }),
        writer.write().finally(() => {
          written = true
        }),
      ])
      const yardstick = { title: 'p99 alone', seconds: quiet.p99 / 1000 }
      yield { ...ofLoad(`page_during_${writer.title}`, snapshots, busy), seconds: busy.p99 / 1000, yardstick }
    } finally {
      await writer.close()
    }
  }
}

function ofLoad(title: string, n: number, { requestsPerSecond, ...waits }: Load): Result {
  return { ...timed(title, n, waits.p50 / 1000), clients: 1, waits, requestsPerSecond }
}

const ofWhole = (
  title: string,
  n: number,
  { seconds, firstByteSeconds, bytes }: Drained,
  peakRssMb: number,
): Result => ({
  ...timed(title, n, seconds),
  peakRssMb,
  firstByteMs: firstByteSeconds * 1000,
  bytes,
})

const timed = (title: string, n: number, seconds: number): Result => ({
  bench: 'list pg',
  case: title,
  n,
  seconds,
  rowsPerSecond: n / seconds,
  peakRssMb: process.resourceUsage().maxRSS / 1024,
})
