import { type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { homeOnPostgres } from './support/homes.ts'
import { allRows, connect, failures, request, syncAndWait } from './support/rest.ts'
import { type RunningSystem, startSystem } from './support/running-system.ts'

let pbs: Simulator
let running: RunningSystem
let path: string

beforeAll(async () => {
  pbs = await startSimulator({ name: 'pbs-blind', seed: 12, failureDelayMs: 0, snapshots: 40, now: 1_790_000_000 })
  running = await startSystem(await homeOnPostgres())
})
afterAll(async () => {
  await running.stop()
  await pbs.close()
})

const server = async () => (await request(running, 'GET', path)).json as Record<string, unknown> // border: a test reads what it asserts

test('a token that sees nothing fails its first run, stays on the server with the command, and is mended by it', async () => {
  const { tokenId, secret } = pbs.tokens.empty
  const user = tokenId.slice(0, tokenId.lastIndexOf('!'))
  const { id } = await connect(running, pbs, { token_id: tokenId, token_secret: secret, untested: true })
  path = `/api/plugins/pbs/servers/${id}/`

  const first = await syncAndWait(running)
  expect(['incomplete', 'failed']).toContain(first.status.value)
  expect(failures(first, 'pbs-blind')).toContainEqual({
    title: 'datastores of pbs-blind',
    outcome: 'failed',
    code: 'forbidden',
  })
  const blind = {
    status: { value: 'reachable' },
    last_error_code: 'forbidden',
    last_error: expect.stringContaining('sees no datastore of pbs-blind'),
  }
  expect(await server()).toMatchObject(blind)
  for (const role of ['Audit', 'RemoteAudit', 'TapeAudit'])
    for (const who of [user, tokenId])
      expect((await server())['last_error']).toContain(`proxmox-backup-manager acl update / ${role} --auth-id '${who}'`)

  // That it answers, and lists what needs no datastore, does not mend it.
  await syncAndWait(running, { resources: ['servers'] })
  await syncAndWait(running, { resources: ['tasks'] })
  expect(await server()).toMatchObject(blind)
  expect(await allRows(running, 'datastores')).toEqual([])

  const { tokenId: audit } = pbs.tokens.audit
  const granted = pbs.state.acl.filter(({ authId }) => authId === audit)
  pbs.state.acl.push(...[user, tokenId].flatMap((authId) => granted.map((entry) => ({ ...entry, authId }))))
  expect((await syncAndWait(running)).status.value).toBe('completed')
  expect(await server()).toMatchObject({ last_error_code: '', last_error: '', consecutive_failures: 0 })
  expect((await allRows(running, 'datastores')).length).toBeGreaterThan(0)
})

test('a PBS that has no datastore is no trouble of its token', async () => {
  pbs.state.datastores = []
  for (const jobs of Object.values(pbs.state.jobs)) jobs.splice(0)
  const run = await syncAndWait(running)
  expect(failures(run, 'pbs-blind').filter(({ outcome }) => outcome === 'failed')).toEqual([])
  expect(await server()).toMatchObject({ last_error_code: '' })
})
