import { emptyState, emptyStore, finishedSnapshot, type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { migratedTemplate } from '@netbox-pbs/store-postgres/engines'
import { postgresUrl } from '@netbox-pbs/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { allRows, connect, request, syncAndWait } from './support/rest.ts'
import { newHome, type RunningSystem, startSystem } from './support/running-system.ts'
import { onPostgres } from './support/written-rows.ts'

const hour = 3600
const now = Math.floor(Date.now() / 1000)
const text = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
const guest = { store: 'tank', ns: '', backupType: 'vm', backupId: '100' }
const objectives = '/api/plugins/pbs/objectives/'

let pbs: Simulator
let running: RunningSystem
let databaseUrl: string

beforeAll(async () => {
  pbs = await startSimulator({
    fleet: { ...emptyState({ name: 'pbs-a', now }), datastores: [emptyStore('tank')] },
    failureDelayMs: 0,
  })
  pbs.addSnapshot(guest, finishedSnapshot(now - 5 * hour))
  databaseUrl = await postgresUrl(migratedTemplate)
  running = await startSystem(newHome({ databaseUrl }))
  await connect(running, pbs)
})
afterAll(async () => {
  await running.stop()
  await pbs.close()
})

/** The guest as REST shows it, and in which of the states lists find it. */
const shown = async () => {
  const [row] = await allRows(running, 'groups')
  if (row === undefined) throw new Error('the guest has no group')
  const states = ['missing', 'at_risk', 'late', 'unknown', 'protected', 'not_watched']
  const found = await Promise.all(
    states.map(async (state) => [state, (await allRows(running, 'groups', `&protection=${state}`)).length] as const),
  )
  const { protection, protection_since: since, objective, objective_rule: rule } = row
  return {
    state: (protection as { value: string }).value,
    since,
    objective,
    rule,
    found: found.filter(([, count]) => count > 0).map(([state]) => state),
  }
}
const breaches = async () =>
  (await allRows(running, 'breaches')).map(({ backup_id: id, begin, end }) => ({ id, begin, end }))

test('a guest that becomes late, then unknown because its server is away, then protected', async () => {
  expect((await syncAndWait(running)).status.value).toBe('completed')
  const began = { state: 'protected', since: null, objective: 26 * hour, rule: null, found: ['protected'] }
  expect(await shown()).toEqual(began)

  const made = await request(running, 'POST', objectives, { name: 'often', server: 'pbs-?', backup_id: '1*', hours: 4 })
  const { id } = made.json as { id: number }
  const ended = text(now - hour)
  const late = { state: 'late', since: ended, objective: 4 * hour, rule: id, found: ['late'] }
  expect(await shown()).toEqual(late)
  expect(await breaches()).toEqual([{ id: '100', begin: ended, end: null }])

  expect((await request(running, 'PATCH', `${objectives}${id}/`, { hours: 6 })).status).toBe(200)
  const fine = { state: 'protected', since: null, objective: 6 * hour, rule: id, found: ['protected'] }
  expect(await shown()).toEqual(fine)
  expect(await breaches()).toEqual([{ id: '100', begin: ended, end: expect.any(String) }])

  await pbs.pause()
  // As if two hours had passed since the last list.
  await onPostgres(databaseUrl, `update groups set fresh_until = fresh_until - interval '2 hours'`)
  await onPostgres(databaseUrl, `update scopes set last_complete_at = last_complete_at - interval '2 hours'`)
  const away = { state: 'unknown', since: ended, objective: 6 * hour, rule: id, found: ['unknown'] }
  expect(await shown()).toEqual(away)
  expect((await syncAndWait(running)).status.value).toBe('incomplete')
  expect(await shown()).toEqual(away)

  await pbs.resume()
  pbs.addSnapshot(guest, finishedSnapshot(now - 60))
  expect((await syncAndWait(running)).status.value).toBe('completed')
  expect(await shown()).toEqual(fine)

  expect((await request(running, 'DELETE', `${objectives}${id}/`)).status).toBe(204)
  expect(await shown()).toEqual(began)
})
