import { finishedSnapshot, generateState, type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import type { Frame } from '@netbox-pbs/proxbox-client/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anyChange, completed, type Dice, diceOf, pruneOldest, rowsOf, timestamps } from './moving-server.ts'
import { type RunningGateway, startGateway } from './running-gateway.ts'
import { addEndpoint, syncFrames } from './simulated.ts'

const now = 1_780_358_400

/** A server whose root namespace is read in one call, or group by group. */
const startMoving = async (seed: number, large: boolean): Promise<Simulator> => {
  const fleet = generateState({ name: 'pbs-moving', seed, profile: '4.2', snapshots: large ? 2400 : 90, now })
  fleet.datastores = fleet.datastores.filter(({ name }) => ['tank', 'vault'].includes(name))
  const [tank] = fleet.datastores
  if (large && tank !== undefined) {
    const groups = tank.namespaces.flatMap((namespace) => namespace.groups.splice(0))
    tank.namespaces[0]?.groups.push(...new Map(groups.map((group) => [group.backupId, group])).values())
  }
  const pbs = await startSimulator({ fleet, failureDelayMs: 0 })
  const busy = { store: 'tank', ns: '', backupType: 'vm', backupId: 'busy' }
  for (let hour = 1; hour <= (large ? 1500 : 5); hour += 1) pbs.addSnapshot(busy, finishedSnapshot(now - hour * 3600))
  return pbs
}

/** More rounds with NETBOX_PBS_MATRIX=all (`pnpm matrix`). */
const whole = process.env['NETBOX_PBS_MATRIX'] === 'all'

describe.each([
  { namespaces: 'small', large: false, rounds: whole ? 200 : 10 },
  { namespaces: 'large', large: true, rounds: whole ? 50 : 3 },
])('lists of $namespaces namespaces that change while they are read', ({ large, rounds }) => {
  let pbs: Simulator
  let gateway: RunningGateway

  beforeAll(async () => {
    pbs = await startMoving(7, large)
    gateway = await startGateway()
    await addEndpoint(gateway, pbs)
  })
  afterAll(async () => {
    await gateway.stop()
    await pbs.close()
  })

  const walk = async (): Promise<ReadonlyArray<Frame>> => [
    ...(await syncFrames(gateway, 'datastores')),
    ...(await syncFrames(gateway, 'snapshots')),
    ...(await syncFrames(gateway, 'jobs')),
  ]

  /** Makes changes during the next walk; the set keeps the rows that exist all the time. */
  const stir = (dice: Dice): Set<string> => {
    const steady = new Set(rowsOf(pbs.state))
    for (let count = 1 + dice(4); count > 0; count -= 1) {
      // Half of it is what a PBS does all day: pruning a group whose snapshots are about to be listed.
      const prunes = dice(2) === 0
      const path = prunes ? /\/snapshots$/ : timestamps[dice(timestamps.length)]
      if (path === undefined) continue
      const change = () => {
        if (prunes) pruneOldest(pbs, dice)
        else anyChange(pbs, dice)
        const rows = rowsOf(pbs.state)
        for (const row of steady) if (!rows.has(row)) steady.delete(row)
      }
      pbs.changes.add({ match: { path }, after: dice(5), change })
    }
    return steady
  }

  test(
    `in ${rounds} seeded rounds no complete list lacks a row that was there all the time, and a quiet walk lists what is there`,
    async () => {
      let [made, whole] = [0, 0]
      for (let seed = 1; seed <= rounds; seed += 1) {
        const dice = diceOf(seed)
        const steady = stir(dice)
        const planned = pbs.changes.waiting()
        const frames = await walk()
        const { scopes, rows } = completed(frames)
        const lost = [...steady].filter((row) => scopes.has(row.split(' > ')[0] ?? '') && !rows.has(row))
        expect(lost, `seed ${seed}`).toEqual([])
        made += planned - pbs.changes.waiting()
        whole += scopes.size

        pbs.changes.clear()
        for (const store of pbs.state.datastores)
          Object.assign(store, { mountStatus: 'nonremovable', maintenance: null })
        const quiet = await walk()
        expect(quiet.filter(({ frame }) => frame === 'failed')).toEqual([])
        expect([...completed(quiet).rows].sort(), `after seed ${seed}`).toEqual([...rowsOf(pbs.state)].sort())
      }
      // The rounds are worth something: things happened while lists were read, and most of these
      // were read completely.
      expect(made).toBeGreaterThan(rounds)
      expect(whole).toBeGreaterThan(rounds * 10)
    },
    whole ? 1_200_000 : 120_000,
  )
})
