import { type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { homeOnPostgres } from './support/homes.ts'
import { allRows, connect, type Row, syncAndWait } from './support/rest.ts'
import { type RunningSystem, startSystem } from './support/running-system.ts'

const now = Math.floor(Date.now() / 1000)

let pbs: Simulator
let running: RunningSystem
let serverId: number

beforeAll(async () => {
  pbs = await startSimulator({ failureDelayMs: 0, snapshots: 60, name: 'pbs-away', seed: 31, now })
  running = await startSystem(await homeOnPostgres())
  serverId = (await connect(running, pbs)).id
})
afterAll(async () => {
  await running.stop()
  await pbs.close()
})

const findings = (query: string) => allRows(running, 'findings', `&${query}`)
const ids = (rows: ReadonlyArray<Row>) => rows.map(({ id }) => id)
/** Waits until the only finding of a kind is in a state. */
const become = (kind: string, state: string): Promise<Row> =>
  vi.waitFor(
    async () => {
      const [finding, ...others] = await findings(`kind=${kind}`)
      expect([finding?.['state'], others]).toMatchObject([{ value: state }, []])
      return finding as Row
    },
    { timeout: 60_000, interval: 250 },
  )

test('a server that goes away with all its guests is one finding, which its answer closes, and nothing else', async () => {
  expect((await syncAndWait(running)).status.value).toBe('completed')
  expect((await allRows(running, 'groups')).length).toBeGreaterThan(5)
  await pbs.pause()
  await syncAndWait(running)
  const outage = await become('server_unreachable', 'open')
  const [server] = await allRows(running, 'servers', `&id=${serverId}`)
  expect(Date.parse(String(outage['since']))).toBe(
    Math.floor(Date.parse(String(server?.['status_since'])) / 1000) * 1000,
  )
  // All that was open below it waits under it.
  expect(ids(await findings('state=open&parent__empty=true'))).toEqual([outage.id])
  const below = ids(await findings('state=open&parent__empty=false'))

  await syncAndWait(running)
  const still = await become('server_unreachable', 'open')
  expect([still.id, still['since']]).toEqual([outage.id, outage['since']])
  expect(ids(await findings('state=open&parent__empty=false'))).toEqual(below)
  expect(await findings('state=closed')).toEqual([])

  await pbs.resume()
  await syncAndWait(running)
  const closed = await become('server_unreachable', 'closed')
  expect(closed).toMatchObject({ id: outage.id, closed_by: expect.stringMatching(/^pbs-away answered at /) })
}, 240_000)
