import {
  type AclEntry,
  emptyStore,
  finishedSnapshot,
  type RequestMatch,
  type Simulator,
} from '@netbox-pbs/pbs-simulator'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { homeOnPostgres } from './support/homes.ts'
import { expectInventory } from './support/inventory.ts'
import { startMatrixServer, stateNow } from './support/matrix-server.ts'
import { connect, failures, syncAndWait, syncTwice } from './support/rest.ts'
import { type RunningSystem, startSystem } from './support/running-system.ts'
import { expectScopes } from './support/scope-rows.ts'

let pbs: Simulator
let well: Simulator
let running: RunningSystem

beforeAll(async () => {
  pbs = await startMatrixServer('moving', 61, '4.2')
  well = await startMatrixServer('well', 62, '4.2')
  running = await startSystem(await homeOnPostgres())
  await connect(running, pbs)
  await connect(running, well)
  expect((await syncAndWait(running)).status.value).toBe('completed')
})
afterAll(async () => {
  await running.stop()
  await Promise.all([pbs.close(), well.close()])
})
afterEach(() => pbs.changes.clear())

/** Rows that the last list lacks for the first time are deleted by the second of two runs. */
const goodRun = async ({ gone = false } = {}) => {
  const run = await (gone ? syncTwice(running) : syncAndWait(running))
  expect({ status: run.status.value, error: run.error }).toEqual({ status: 'completed', error: '' })
  await expectInventory(running, [pbs.state, well.state])
}

const group = { store: 'vault', ns: '', backupType: 'vm', backupId: 'passing' }
const addGroup = () => {
  for (let day = 1; day <= 3; day++) pbs.addSnapshot(group, finishedSnapshot(1_789_000_000 - day * 86_400))
}
const store = (path: string, query?: Record<string, string>): RequestMatch => ({
  path: `/admin/datastore/vault/${path}`,
  ...(query === undefined ? {} : { query }),
})
const hiding = (path: string): AclEntry => ({
  path,
  authId: pbs.tokens.audit.tokenId,
  role: 'NoAccess',
  propagate: true,
})

interface Step {
  readonly happens: string
  readonly on: RequestMatch
  readonly before?: () => void
  readonly change: () => void
  /** Whether rows are gone that the run could not tell as missing. */
  readonly gone?: true
  /** Outcomes that the run states; empty: the list was read once more and is complete. */
  readonly stated: ReadonlyArray<{ readonly title: string; readonly outcome: string; readonly code: string }>
  /** Ends what would last. */
  readonly undo?: () => void
}

describe('while a server is read', () => {
  const steps: ReadonlyArray<Step> = [
    {
      happens: 'a namespace is removed after it was listed',
      before: () => {
        pbs.addNamespace('vault', 'passing')
        pbs.addSnapshot({ ...group, ns: 'passing' }, finishedSnapshot(1_789_000_000))
      },
      on: store('groups', { ns: 'passing' }),
      change: () => pbs.removeNamespace('vault', 'passing'),
      gone: true,
      stated: [{ title: 'snapshots of moving/vault/passing', outcome: 'failed', code: 'protocol' }],
    },
    {
      happens: 'a group is removed after it was counted',
      before: addGroup,
      on: store('snapshots', { ns: '' }),
      change: () => pbs.removeGroup(group),
      stated: [],
    },
    {
      happens: 'a group is pruned after it was counted',
      before: addGroup,
      on: store('snapshots', { ns: '' }),
      change: () => void pbs.pruneGroup(group, 1),
      stated: [],
    },
    {
      happens: 'a backup comes after its group was counted',
      on: store('snapshots', { ns: '' }),
      change: () => pbs.addSnapshot(group, finishedSnapshot(1_789_500_000)),
      stated: [],
    },
    {
      happens: 'a disk is pulled',
      on: store('namespace'),
      change: () => pbs.setMounted('vault', false),
      stated: [{ title: 'namespaces of moving/vault', outcome: 'skipped', code: 'not_mounted' }],
      undo: () => pbs.setMounted('vault', true),
    },
    {
      happens: 'a maintenance begins',
      on: store('namespace'),
      change: () => pbs.setMaintenance('vault', 'offline', 'new disks'),
      stated: [{ title: 'namespaces of moving/vault', outcome: 'skipped', code: 'maintenance' }],
      undo: () => pbs.setMaintenance('vault', null),
    },
    {
      happens: 'a namespace is hidden from the token',
      on: store('namespace'),
      change: () => pbs.grant(hiding('/datastore/vault/site-a')),
      stated: [{ title: 'namespaces of moving/vault', outcome: 'failed', code: 'protocol' }],
      undo: () => pbs.revoke('/datastore/vault/site-a', pbs.tokens.audit.tokenId),
    },
    {
      happens: 'the store is removed',
      before: () => {
        pbs.state.datastores.push(emptyStore('short-lived'))
        pbs.addSnapshot({ ...group, store: 'short-lived' }, finishedSnapshot(1_789_000_000))
      },
      on: { path: '/admin/datastore/short-lived/namespace' },
      change: () => pbs.removeStore('short-lived'),
      gone: true,
      stated: [{ title: 'namespaces of moving/short-lived', outcome: 'failed', code: 'protocol' }],
    },
  ]

  test.each(steps)('$happens: nothing vanishes that is there, and the next run is whole', async (step) => {
    // Else what the step before has left is known to be whole.
    if (step.before !== undefined) {
      step.before()
      await goodRun()
    }
    const before = stateNow(pbs)
    pbs.changes.add({ match: step.on, change: step.change })
    const run = await syncAndWait(running)
    expect(pbs.changes.waiting()).toBe(0)
    const jobs = / jobs of /
    expect(failures(run, 'moving').filter(({ title }) => !jobs.test(title))).toEqual(step.stated)
    expect(failures(run, 'well')).toEqual([])
    // Jobs are read after the change: of them only the rows that are still there are looked at.
    const after = { ...(step.stated.length === 0 ? pbs.state : before), jobs: pbs.state.jobs }
    await expectScopes(running, { before, after, kept: () => false, except: jobs })
    step.undo?.()
    await goodRun(step)
  })
})

describe('between two runs', () => {
  const only =
    (...roles: ReadonlyArray<string>) =>
    () => {
      const { tokenId: authId } = pbs.tokens.audit
      pbs.revoke('/', authId)
      for (const role of roles) pbs.grant({ path: '/', authId, role, propagate: true })
    }
  const jobsOnStores = ['gc', 'prune', 'sync', 'verify'].map((type) => `${type} jobs of moving`)
  const stores = ['datastores of moving']
  const inVault = ['namespaces of moving/vault', 'snapshots of moving/vault', 'snapshots of moving/vault/site-a']
  const siteA = ['namespaces of moving/vault', 'snapshots of moving/vault/site-a', 'sync jobs of moving']

  const ofStores = [...stores, 'namespaces of moving/tank', 'namespaces of moving/vault', ...jobsOnStores]

  interface Loss {
    readonly loses: string
    /** The token's privileges in the run before, when it lacks some. */
    readonly before?: () => void
    readonly change: () => void
    /** The scopes whose deletions wait. */
    readonly held: ReadonlyArray<string>
    /** The scopes that fail, because the token sees no datastore at all; none unless told. */
    readonly blind?: ReadonlyArray<string>
  }
  const losses: ReadonlyArray<Loss> = [
    {
      loses: 'sight of a store',
      change: () => pbs.grant(hiding('/datastore/vault')),
      held: [...stores, ...inVault, ...jobsOnStores],
    },
    { loses: 'sight of a namespace', change: () => pbs.grant(hiding('/datastore/vault/site-a')), held: siteA },
    { loses: 'Remote.Audit', change: only('Audit', 'TapeAudit'), held: ['sync jobs of moving'] },
    { loses: 'Tape.Audit', change: only('Audit', 'RemoteAudit'), held: ['tape jobs of moving'] },
    {
      loses: 'Datastore.Audit',
      change: only('RemoteAudit', 'TapeAudit'),
      held: [],
      blind: ofStores,
    },
    {
      loses: 'every privilege',
      change: only(),
      held: ['tape jobs of moving'],
      blind: ofStores,
    },
    {
      loses: 'sight of a namespace, without Sys.Audit to read the ACL',
      before: only('DatastoreAudit', 'RemoteAudit', 'TapeAudit'),
      change: () => pbs.grant(hiding('/datastore/vault/site-a')),
      held: siteA,
    },
  ]

  test.each(losses)(
    'the token loses $loses: rows stay, and the run says why',
    async ({ before, change, held, blind = [] }) => {
      const acl = structuredClone(pbs.state.acl)
      if (before !== undefined) {
        before()
        await goodRun()
      }
      change()
      // The first list that lacks them says nothing yet.
      const run = await syncTwice(running)
      pbs.state.acl = acl
      await expectScopes(running, { before: pbs.state, after: pbs.state, kept: () => true })
      const waiting = held.map((title) => ({ title, outcome: 'held_back', code: 'visibility_changed' }))
      const failed = blind.map((title) => ({ title, outcome: 'failed', code: 'forbidden' }))
      const reported = [...waiting, ...failed].toSorted((a, b) => (a.title < b.title ? -1 : 1))
      expect(failures(run, 'moving')).toEqual(reported)
      expect(failures(run, 'well')).toEqual([])
      expect(run.status.value).toBe('incomplete')
      await goodRun()
    },
  )
})
