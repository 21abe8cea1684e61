import { startSimulator } from '@netbox-pbs/pbs-simulator'
import { migratedTemplate } from '@netbox-pbs/store-postgres/engines'
import { postgresUrl } from '@netbox-pbs/testing'
import { expect, test, vi } from 'vitest'
import { allRows, connect, request, runEnded, syncAndWait } from './support/rest.ts'
import { newHome, startSystem } from './support/running-system.ts'
import { onPostgres } from './support/written-rows.ts'

const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

/** Hours that are over in a day or two, whenever the test runs. */
const asleepNow = (): string => {
  const today = new Date().getUTCDay()
  return `${weekdays[(today + 6) % 7]}-${weekdays[(today + 1) % 7]} 00:00-24:00`
}

test('a server that is down in its hours of sleep is no trouble of a scheduled run', { timeout: 240_000 }, async () => {
  const options = { failureDelayMs: 0, snapshots: 40, now: 1_790_000_000 }
  const night = await startSimulator({ ...options, name: 'pbs-night', seed: 31 })
  const day = await startSimulator({ ...options, name: 'pbs-day', seed: 32 })
  const databaseUrl = await postgresUrl(migratedTemplate)
  const running = await startSystem(newHome({ databaseUrl }))
  try {
    const { id } = await connect(running, night)
    await connect(running, day)
    expect((await syncAndWait(running)).status.value).toBe('completed')
    const path = `/api/plugins/pbs/servers/${id}/`
    const asleep = await request(running, 'PATCH', path, { sleep_hours: asleepNow() })
    expect([asleep.status, asleep.json]).toEqual([200, expect.objectContaining({ sleep_hours: asleepNow() })])
    await night.pause()
    const before = { night: night.counts.requests, day: day.counts.requests }

    const scheduled = () => allRows(running, 'sync-runs', '&trigger=schedule')
    await vi.waitFor(
      async () => {
        // An hour has passed since the schedule began to count.
        await onPostgres(databaseUrl, `update schedules set counted_from = now() - interval '2 hours'`)
        expect((await scheduled()).length).toBeGreaterThan(0)
      },
      { timeout: 60_000, interval: 500 },
    )
    const run = await runEnded(running, (await scheduled()).at(-1)?.id ?? 0)
    expect(run).toMatchObject({ status: { value: 'completed' }, error: '', warnings: [] })
    const skipped = run.scopes.filter(({ outcome }) => outcome.value === 'skipped')
    expect(new Set(skipped.map(({ reason }) => reason?.code))).toEqual(new Set(['asleep']))
    expect(skipped.every(({ display }) => display.includes('pbs-night'))).toBe(true)
    expect(skipped[0]?.reason?.message).toMatch(/^not asked for: pbs-night sleeps until 2\d{3}-.*T00:00:00Z/)
    expect(night.counts.requests).toBe(before.night)
    expect(day.counts.requests).toBeGreaterThan(before.day)
    const server = async () => (await request(running, 'GET', path)).json
    expect(await server()).toMatchObject({ status: { value: 'reachable' }, consecutive_failures: 0, last_error: '' })

    expect((await syncAndWait(running)).status.value).toBe('incomplete')
    expect(await server()).toMatchObject({ status: { value: 'unreachable' } })
  } finally {
    await running.stop()
    await Promise.all([night.close(), day.close()])
  }
})
