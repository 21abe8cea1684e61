import { migratedTemplate } from '@netbox-pbs/store-postgres/engines'
import { postgresUrl } from '@netbox-pbs/testing'
import pg from 'pg'
import { afterEach, expect, test } from 'vitest'
import { newHome, type RunningSystem, startSystem } from './support/running-system.ts'

const root = '/api/plugins/pbs/'
let system: RunningSystem
let database: pg.Client
/** A transaction would show it the sessions as they were when it first looked. */
let locker: pg.Client

const start = async (statementTimeoutSeconds: number): Promise<void> => {
  const databaseUrl = await postgresUrl(migratedTemplate)
  system = await startSystem(newHome({ databaseUrl }), { statementTimeoutSeconds })
  database = new pg.Client({ connectionString: databaseUrl })
  locker = new pg.Client({ connectionString: databaseUrl })
  await Promise.all([database.connect(), locker.connect()])
}
afterEach(async () => {
  await Promise.all([database.end(), locker.end()])
  await system.stop()
})

const get = async (path: string, signal: AbortSignal | null = null) => {
  const response = await fetch(`${system.url}${path}`, { signal, headers: { Authorization: `Bearer ${system.token}` } })
  return { status: response.status, json: (await response.json()) as { readonly detail?: string } }
}

const status = (path: string, signal: AbortSignal | null = null): Promise<number | 'left'> =>
  get(path, signal).then(
    (answer) => answer.status,
    () => 'left' as const,
  )

/** Locks the snapshots, so every query of them waits in the database. */
const withSnapshotsLocked = async (work: () => Promise<void>): Promise<void> => {
  await locker.query('begin; lock table snapshots')
  try {
    await work()
  } finally {
    await locker.query('rollback')
  }
}

const hanging = async (): Promise<number> => {
  const { rows } = await database.query<{ count: number }>(
    "select count(*)::int as count from pg_stat_activity where application_name = 'netbox-pbs api' and state = 'active' and wait_event_type = 'Lock'",
  )
  return rows[0]?.count ?? 0
}

const until = async (expected: number): Promise<void> => {
  while ((await hanging()) !== expected) await new Promise((resolve) => setTimeout(resolve, 20))
}

test('searches that hang leave the other requests alone, and end in the database when their clients leave', async () => {
  await start(600)
  await withSnapshotsLocked(async () => {
    const client = new AbortController()
    const searches = Array.from({ length: 12 }, () => status(`${root}snapshots/?q=guest`, client.signal))
    await until(2)
    const paths = ['servers/', 'datastores/', 'jobs/', 'settings/']
    const others = await Promise.all(paths.map((path) => status(`${root}${path}`)))
    expect(others).toEqual([200, 200, 200, 200])
    // Ten more wait for their turn, not in the database.
    expect(await hanging()).toBe(2)
    client.abort()
    expect(new Set(await Promise.all(searches))).toEqual(new Set(['left']))
    await until(0)
    expect(await status(`${root}servers/?q=x`)).toBe(200)
  })
  expect(await status(`${root}snapshots/?q=guest`)).toBe(200)
})

test('a request that takes too long is answered 503 with the names of its filters', async () => {
  await start(1)
  await withSnapshotsLocked(async () => {
    const slow = await get(`${root}snapshots/?q=guest&owner=root%40pam&limit=5`)
    expect([slow.status, slow.json.detail]).toEqual([
      503,
      'listing snapshots: it took longer than a request may take and was stopped; ask for less. The request filters or orders by q, owner: add a filter by server, datastore_name or backup_id.',
    ])
    const one = await get(`${root}snapshots/1/`)
    expect([one.status, one.json.detail]).toEqual([
      503,
      'reading a snapshot: it took longer than a request may take and was stopped; ask for less.',
    ])
    const statuses = await Promise.all(Array.from({ length: 8 }, () => status(`${root}snapshots/?q=guest`)))
    expect(new Set(statuses)).toEqual(new Set([503]))
    await until(0)
  })
})

test('api, worker and gateway have connections of their own, and say whose they are', async () => {
  await start(5)
  expect(await status(`${root}servers/`)).toBe(200)
  const { rows } = await database.query<{ name: string }>(
    "select distinct application_name as name from pg_stat_activity where application_name like 'netbox-pbs %' order by 1",
  )
  expect(rows.map(({ name }) => name).filter((name) => !name.endsWith(' control'))).toEqual([
    'netbox-pbs api',
    'netbox-pbs gateway',
    'netbox-pbs worker',
  ])
})
