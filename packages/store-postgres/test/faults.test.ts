import { naturalKey, type Scope } from '@netbox-pbs/core'
import { Branches, ChangeSets, HeldDeletionsStore, InventoryWrites, Runs } from '@netbox-pbs/core/ports'
import {
  allCases,
  appendAll,
  caseTitle,
  change,
  create,
  datastoreFacts,
  groupFacts,
  may,
  type Part,
  remove,
  serverIdOf,
  snapshotFacts,
  someCases,
  withFault,
  withoutFault,
} from '@netbox-pbs/testing'
import { Effect } from 'effect'
import { describe, expect, test } from 'vitest'
import { personsBranch } from './contract/branch-edits.ts'
import { actor, at, newBranch, newFleet, rows, stageOnce } from './contract/branching.ts'
import { faultedWork, recordOf, type StoreWork } from './contract/faulted-work.ts'

const server = 'pbs-a'

interface Snapshot {
  readonly id: number
  readonly day: number
  readonly server: number
  readonly comment: string
}

/** Main's snapshots of guest 100, by day. */
const snapshotsByDay = Effect.map(
  rows<Snapshot>(
    `select id, extract(day from backup_time at time zone 'UTC')::int as day, server_id as server, comment from snapshots where backup_id = '100'`,
  ),
  (found) => new Map(found.map((row) => [row.day, row])),
)

const factsOf = ({ server: id, day }: Snapshot) => snapshotFacts(id, '100', may(day))

const scope: Scope = { resource: 'snapshots', server, datastore: 'tank', namespace: '' }

/**
 * What a run finds: a new guest, a new, a changed and two removed snapshots, and a digest of each
 * group. Like a diff it leaves out what main has already.
 */
const foundByRun = Effect.gen(function* () {
  const id = (yield* serverIdOf(server)) ?? 0
  const main = yield* snapshotsByDay
  const [first, removed] = [main.get(1), [main.get(2), main.get(3)].filter((row) => row !== undefined)]
  const digest = (guest: string, listed: number) => ({
    key: naturalKey('group', groupFacts(id, guest)),
    digest: `second of ${guest}`,
    listed,
    listDigest: `row of ${guest}`,
  })
  const parts: ReadonlyArray<Part> = [
    {
      model: 'snapshot',
      changes: [
        create('snapshot', snapshotFacts(id, '100', may(9))),
        create('snapshot', snapshotFacts(id, '200', may(9))),
        ...(first?.comment === '' ? [change('snapshot', first.id, factsOf(first), { comment: 'of the source' })] : []),
        ...removed.map((row) => remove('snapshot', row.id, factsOf(row))),
      ],
    },
    {
      model: 'group',
      changes: [create('group', groupFacts(id, '200'))],
      digests: [digest('100', 3), digest('200', 1)],
    },
  ]
  return { id, parts }
})

const newRun = Effect.flatMap(Runs, (runs) =>
  runs.create({ resources: ['snapshots'], servers: null, trigger: 'manual', user: 'ada' }),
)

/** Lands what a run finds, as a worker does: an attempt compares again and opens a change set of its own. */
const landing = (
  more: { readonly branch?: number; readonly held?: 'too_many'; readonly fullSince?: string | null } = {},
) =>
  Effect.map(rows<{ id: number }>('select max(id) as id from runs'), ([run]) =>
    Effect.gen(function* () {
      const runId = run?.id ?? 0
      const changeSets = yield* ChangeSets
      const { id, parts } = yield* foundByRun
      const changeSet = yield* changeSets.open({ runId, serverId: id })
      yield* appendAll(changeSet, scope, parts)
      const { branch, ...rest } = more
      const whole = {
        ...{ changeSet, scope, runId, at, visibility: 'all', held: null, listed: true, leftOut: 0 },
        record: recordOf(id, { scope, outcome: branch === undefined ? 'landed' : 'staged' }),
        ...rest,
      }
      yield* branch === undefined ? changeSets.land(whole) : changeSets.stage({ ...whole, branch })
      yield* changeSets.close({ changeSet })
    }),
  )

const fleet = newFleet(server, [1, 2, 3, 4])

const works: ReadonlyArray<StoreWork> = [
  { name: 'landing a scope', before: Effect.zipRight(fleet, newRun), ready: landing() },
  { name: 'landing a light list', before: Effect.zipRight(fleet, newRun), ready: landing({ fullSince: null }) },
  { name: 'holding deletions', before: Effect.zipRight(fleet, newRun), ready: landing({ held: 'too_many' }) },
  {
    name: 'staging in a branch',
    before: Effect.all([fleet, newRun, newBranch('staged')]),
    ready: Effect.flatMap(rows<{ id: number }>('select id from branches'), ([branch]) =>
      landing({ branch: branch?.id ?? 0 }),
    ),
  },
  {
    name: 'merging the branch of a run',
    before: Effect.gen(function* () {
      yield* fleet
      const { id } = yield* newBranch('merged')
      yield* stageOnce(id, scope, (yield* foundByRun).parts)
    }),
    ready: Effect.map(rows<{ id: number }>('select id from branches'), ([branch]) =>
      Effect.flatMap(Branches, (branches) =>
        branches.merge({ id: branch?.id ?? 0, commit: true, by: actor, at, approval: false }),
      ),
    ),
    leavesStaged: true,
    already: ['BranchNotOpen'],
  },
  {
    name: 'merging the branch of a user',
    before: Effect.gen(function* () {
      yield* fleet
      const main = yield* snapshotsByDay
      const branch = yield* personsBranch('merged')
      yield* branch.update('snapshot', main.get(1)?.id ?? 0, { comment: 'of the user' })
      yield* branch.remove('snapshot', main.get(2)?.id ?? 0)
      yield* branch.make('snapshot', { ...snapshotFacts(main.get(1)?.server ?? 0, '300', may(9)) })
    }),
    ready: Effect.map(rows<{ id: number }>('select id from branches'), ([branch]) =>
      Effect.flatMap(Branches, (branches) =>
        branches.merge({ id: branch?.id ?? 0, commit: true, by: actor, at, approval: false }),
      ),
    ),
    already: ['BranchNotOpen'],
  },
  {
    name: 'reverting a merge',
    before: Effect.gen(function* () {
      yield* fleet
      const { id } = yield* newBranch('merged')
      yield* stageOnce(id, scope, (yield* foundByRun).parts)
      yield* (yield* Branches).merge({ id, commit: true, by: actor, at, approval: false })
    }),
    ready: Effect.map(rows<{ id: number }>('select id from branches'), ([branch]) =>
      Effect.flatMap(Branches, (branches) =>
        branches.revert({ id: branch?.id ?? 0, name: 'undo', user: 'ann', commit: true }),
      ),
    ),
    already: ['BranchNameTaken'],
  },
  {
    name: 'confirming held deletions',
    before: Effect.gen(function* () {
      yield* fleet
      yield* newRun
      yield* yield* landing({ held: 'too_many' })
    }),
    ready: Effect.map(rows<{ id: number; revision: number }>('select id, revision from held_deletions'), ([set]) =>
      Effect.flatMap(HeldDeletionsStore, (held) =>
        held.decide({ id: set?.id ?? 0, revision: set?.revision ?? 0, state: 'confirmed', user: 'ann' }),
      ),
    ),
    already: ['HeldDeletionsChanged'],
  },
  {
    name: 'editing rows',
    before: fleet,
    ready: Effect.map(snapshotsByDay, (main) =>
      Effect.flatMap(InventoryWrites, (writes) =>
        writes.update({
          model: 'snapshot',
          rows: [...main.values()].map(({ id, day }) => ({ id, values: { comment: `edited ${day}`, tags: ['kept'] } })),
          actor,
        }),
      ),
    ),
  },
  {
    name: 'creating rows',
    before: fleet,
    ready: Effect.map(serverIdOf(server), (id) =>
      Effect.flatMap(InventoryWrites, (writes) =>
        writes.create({
          model: 'datastore',
          rows: ['one', 'two'].map((name) => datastoreFacts(id ?? 0, name)),
          actor,
        }),
      ),
    ),
    already: ['KeyTaken'],
  },
  {
    name: 'deleting rows',
    before: fleet,
    ready: Effect.map(snapshotsByDay, (main) =>
      Effect.flatMap(InventoryWrites, (writes) =>
        writes.remove({ model: 'snapshot', rows: [...main.values()].map(({ id }) => ({ id })), actor }),
      ),
    ),
    already: ['RowNotFound'],
  },
  {
    name: 'deleting a server',
    before: fleet,
    ready: Effect.map(serverIdOf(server), (id) =>
      Effect.flatMap(InventoryWrites, (writes) => writes.remove({ model: 'server', rows: [{ id: id ?? 0 }], actor })),
    ),
    already: ['RowNotFound'],
  },
]

/** Every fault at every statement with NETBOX_PBS_FAULTS=all (`pnpm faults`); else one of each work, another for each. */
const all = process.env['NETBOX_PBS_FAULTS'] === 'all'
/** Only what hangs is ended: a busy machine takes ten times as long as a quiet one. */
const timeout = all ? 14_400_000 : 600_000

describe('a fault between the store and PostgreSQL', () => {
  test.each(works.map((work, nth) => [work.name, work, nth] as const))(
    'while %s',
    async (_, work, nth) => {
      const faulted = faultedWork(work)
      const expected = await withoutFault(faulted)
      const cases = all ? allCases(expected) : someCases(expected, 1, nth)
      const found: Array<string> = []
      for (const one of cases)
        for (const fault of await withFault(faulted, expected, one))
          found.push(`${caseTitle(expected, one)}\n  ${fault}`)
      expect(found).toEqual([])
    },
    timeout,
  )
})
