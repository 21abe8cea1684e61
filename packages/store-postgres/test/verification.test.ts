import type { Branches, ChangeSets, Inventory, InventoryWrites, Runs } from '@netbox-pbs/core/ports'
import { Effect, Fiber, Layer, ManagedRuntime } from 'effect'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { runsLayer } from '../src/runs/runs.ts'
import { checks } from '../src/verification/checks.ts'
import { repairStored } from '../src/verification/repair.ts'
import { verifyStored } from '../src/verification/verify.ts'
import { rows } from './contract/branching.ts'
import { expectVerified, findings } from './contract/verified.ts'
import { verifiedFleet } from './contract/verified-fleet.ts'
import { engines } from './engines.ts'

/** A stored value that is made wrong. */
interface Corruption {
  readonly check: string
  readonly field: string
  readonly spoil: string
  /** How the value becomes as it was, where a repair cannot know; `repaired`: by the repair itself. */
  readonly undo: string | 'repaired'
}

/** The row of a server or of a branch that the fleet names. */
const ofServer = (name: string) => `server_id = (select id from servers where name = '${name}')`
const ofBranch = (name: string) => `branch_id = (select id from branches where name = '${name}')`

const rootGroup = `${ofServer('a')} and namespace = '' and backup_id = '100'`

const counters = {
  snapshot_count: 'snapshot_count + 1',
  manual_count: 'manual_count + 1',
  missing_count: 'missing_count + 1',
  first_backup: 'null',
  last_backup: `last_backup + interval '1 day'`,
  unfinished_since: 'null',
  total_size: 'null',
  newest_verification: `'ok'`,
  not_verified_count: 'not_verified_count + 1',
  verification_failed_count: 'verification_failed_count + 1',
  verification_erased_count: 'verification_erased_count + 1',
  verifications: `'{":unknown": [9, []]}'`,
  keys: `'{"?": 1}'`,
  newest_unencrypted: 'true',
  variants: `'[]'`,
  texts: `texts || 'x'`,
}

const repaired = 'repaired' as const

const corruptions: ReadonlyArray<Corruption> = [
  {
    check: 'snapshots.group',
    field: 'group',
    spoil: `with counted as (delete from scope_counts where ${ofServer('a')} and namespace = 'unnamed')
      delete from groups where ${ofServer('a')} and namespace = 'unnamed'`,
    undo: `update groups set presence = 'listed', standing = 'failed', fresh_until = last_backup + interval '26 hours', objective = 93600 where ${ofServer('a')} and namespace = 'unnamed'`,
  },
  ...Object.entries(counters).map(([field, wrong]) => ({
    check: 'groups.counters',
    field,
    spoil: `update groups set ${field} = ${wrong} where ${rootGroup}`,
    undo: repaired,
  })),
  {
    check: 'groups.needed',
    field: 'kept',
    spoil: `with counted as (update scope_counts set groups = groups + 1 where ${ofServer('a')} and namespace = 'unnamed')
      insert into groups (server_id, datastore_name, namespace, backup_type, backup_id, presence, standing, objective)
      select id, 'tank', 'unnamed', 'vm', '999', 'manual', 'missing', 93600 from servers where name = 'a'`,
    undo: repaired,
  },
  {
    check: 'groups.digest',
    field: 'digest',
    spoil: `update groups set listed_count = 4 where ${rootGroup}`,
    undo: `update groups set listed_count = 3, digest = 'first', digest_cleared_by = null where ${rootGroup}`,
  },
  {
    check: 'snapshots.presence',
    field: 'presence',
    spoil: `update snapshots set presence = 'listed', missing_since = null, last_seen_own = null where id = (select min(id) from snapshots where ${ofServer('absent')})`,
    undo: repaired,
  },
  ...Object.entries({
    objective: 'objective + 1',
    objective_rule: '7',
    fresh_until: 'null',
    standing: `'missing'`,
    standing_since: 'now()',
    judge_again_at: `now() + interval '1 day'`,
  }).map(([field, wrong]) => ({
    check: 'groups.standing',
    field,
    spoil: `update groups set ${field} = ${wrong} where ${rootGroup}`,
    undo: repaired,
  })),
  ...Object.entries({ groups: 'groups - 1', snapshots: 'snapshots + 1', variants: 'variants - 0' }).map(
    ([field, wrong]) => ({
      check: 'scope_counts.counters',
      field,
      spoil: `update scope_counts set ${field} = ${wrong} where ${ofServer('a')} and namespace = 'x'`,
      undo: repaired,
    }),
  ),
  {
    check: 'scope_counts.counters',
    field: 'kept',
    spoil: `delete from scope_counts where ${ofServer('a')} and namespace = 'unnamed'`,
    undo: repaired,
  },
  {
    check: 'scope_counts.counters',
    field: 'kept',
    spoil: `insert into scope_counts select server_id, datastore_name, namespace, 'host', 0, 0 from scope_counts where ${ofServer('a')} and namespace = 'x'`,
    undo: repaired,
  },
  ...['group_count', 'snapshot_count'].map((field) => ({
    check: 'namespaces.counters',
    field,
    spoil: `update namespaces set ${field} = ${field} - 1 where ${ofServer('a')} and path = 'x'`,
    undo: repaired,
  })),
  ...['datastores', 'namespaces', 'groups', 'snapshots', 'jobs'].map((table) => ({
    check: `${table}.missing_since`,
    field: 'missing_since',
    spoil: `update ${table} set missing_since = now() where id = (select min(id) from ${table} where ${ofServer('a')})`,
    undo: repaired,
  })),
  {
    check: 'servers.missing_since',
    field: 'missing_since',
    spoil: `update servers set missing_since = now() where name = 'a'`,
    undo: repaired,
  },
  {
    check: 'servers.pending_since',
    field: 'pending',
    spoil: `update servers set pending_since = now() where name = 'a'`,
    undo: repaired,
  },
  {
    check: 'server_names.name',
    field: 'name',
    spoil: `update server_names set name = 'other' where ${ofServer('a')}`,
    undo: repaired,
  },
  { check: 'server_nodes.node', field: 'lacking', spoil: `delete from server_nodes`, undo: repaired },
  ...[
    ['health', `'ok'`],
    ['failed_runs', '3'],
    ['due_at', 'now()'],
  ].map(([field = '', wrong]) => ({
    ...{ check: 'job_observations.health', field, undo: repaired },
    spoil: `update job_observations set ${field} = ${wrong} where job_id = (select min(job_id) from job_observations where ${ofServer('a')})`,
  })),
  {
    check: 'guests.groups',
    field: 'guests',
    spoil: `delete from guests where backup_id = '300'`,
    undo: repaired,
  },
  {
    check: 'guest_copies.guest',
    field: 'guest',
    spoil: `insert into guest_copies (group_id, server_id, guest_id, copy_of, copy_of_server_id) values (1000000, 1, 1000000, 1, 1)`,
    undo: repaired,
  },
  ...Object.entries({
    guests: `update guests set points_behind = points_behind + 1 where copies > 0`,
    copies: `update guest_copies set lag_since = now()`,
    links: `update copy_links set common = 1`,
  }).map(([field, spoil]) => ({ check: 'guests.copies', field, spoil, undo: repaired })),
  {
    check: 'snapshots.held',
    field: 'held',
    spoil: `update held_deletions set namespace = 'other'`,
    undo: `update held_deletions set namespace = ''`,
  },
  {
    check: 'jobs.held',
    field: 'held',
    // Their health would follow: here it was never judged.
    spoil: `with judged as (update job_observations set schedule_seen = null) update jobs set presence = 'missing', missing_since = now()`,
    undo: `with judged as (update job_observations o set schedule_seen = j.schedule from jobs j where j.server_id = o.server_id and j.id = o.job_id)
      update jobs set presence = 'listed', missing_since = null`,
  },
  ...['snapshot_count', 'total_size'].map((field) => ({
    check: 'branch_group_counts.counters',
    field,
    spoil: `update branch_group_counts set ${field} = ${field} + 1 where ${ofBranch('open')} and backup_id = '100'`,
    undo: repaired,
  })),
  {
    check: 'branch_group_counts.counters',
    field: 'counted',
    spoil: `delete from branch_group_counts where ${ofBranch('open')} and backup_id = '200'`,
    undo: repaired,
  },
  {
    check: 'branch_group_counts.counters',
    field: 'counted',
    spoil: `insert into branch_group_counts (branch_id, server_id, datastore_name, namespace, backup_type, backup_id, snapshot_count)
      select branch_id, server_id, datastore_name, namespace, backup_type, 'none', 1 from branch_group_counts where ${ofBranch('open')} and backup_id = '200'`,
    undo: repaired,
  },
  ...['created', 'updated', 'deleted', 'changes'].map((field) => ({
    check: 'branch_group_digests.counts',
    field,
    spoil: `update branch_group_digests set ${field} = ${field} + 1 where ${ofBranch('open')} and backup_id = '200'`,
    undo: `insert into branch_group_digests (branch_id, server_id, datastore_name, namespace, backup_type, backup_id, digest, registry_version, listed_count, created, updated, deleted, changes)
      select branch_id, server_id, datastore_name, namespace, backup_type, '200', 'new', registry_version, 1, 1, 0, 0, 1 from branch_group_digests where ${ofBranch('open')}`,
  })),
  {
    check: 'branches.status',
    field: 'status',
    spoil: `update branches set status = 'in_review' where name = 'ready'`,
    undo: repaired,
  },
  {
    check: 'branches.rows',
    field: 'changes',
    spoil: `insert into branch_namespaces (branch_id, id, op, server_id, datastore_name, path)
      select id, 1, 'create', 1, 'tank', 'y' from branches where name = 'closed'`,
    undo: repaired,
  },
  {
    check: 'branches.rows',
    field: 'counts',
    spoil: `insert into branch_group_counts (branch_id, server_id, datastore_name, namespace, backup_type, backup_id, snapshot_count)
      select id, 1, 'tank', '', 'vm', '1', 1 from branches where name = 'merged'`,
    undo: repaired,
  },
  {
    check: 'runs.completed',
    field: 'ended',
    spoil: `update runs set completed = now()`,
    undo: `update runs set completed = null`,
  },
  {
    check: 'run_scopes.scope_key',
    field: 'scope_key',
    spoil: `update run_scopes set scope_key = '[]'`,
    undo: `update run_scopes set scope_key = '["datastores",' || server_id || ',"","",""]'`,
  },
  {
    check: 'branch_scopes.scope_key',
    field: 'scope_key',
    spoil: `update branch_scopes set scope_key = 'x' || scope_key where ${ofBranch('open')}`,
    undo: `update branch_scopes set scope_key = substr(scope_key, 2) where ${ofBranch('open')}`,
  },
  {
    check: 'sequences.last_value',
    field: 'last_value',
    spoil: `select setval(pg_get_serial_sequence('snapshots', 'id'), 1)`,
    undo: `select setval(pg_get_serial_sequence('snapshots', 'id'), (select max(id) from snapshots))`,
  },
]

type Ports = Branches | ChangeSets | Inventory | InventoryWrites | Runs | Database

/** Checks whose repair makes rows again, under new ids. */
const madeAgain: ReadonlySet<string> = new Set(['snapshots.group', 'guests.groups'])

/** Rows that a repair logs, or that it makes under a new id. */
const passedOver = new Set(['changes', 'netbox_pbs_migration', 'netbox_pbs_migration_lock'])

/** All rows of all tables, as texts. */
const everything = Effect.flatMap(Database, (database) =>
  database.query('reading everything', async (db) => {
    const { rows: found } = await sql<{ name: string }>`
      select tablename as name from pg_tables where schemaname = 'public' order by 1`.execute(db)
    const texts = found
      .filter(({ name }) => !passedOver.has(name))
      .map(({ name }) => sql`select ${sql.lit(name)} || to_jsonb(t)::text as text from ${sql.table(name)} t`)
    const { rows: dump } = await sql<{ text: string }>`${sql.join(texts, sql` union all `)} order by 1`.execute(db)
    return dump.map(({ text }) => text)
  }),
)

describe.each(engines)('a verification on $engine', ({ engine, migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(Layer.merge(inventoryLayer, runsLayer), migrated))
  const run = <A, E>(effect: Effect.Effect<A, E, Ports>) => runtime.runPromise(effect)
  beforeAll(() => run(verifiedFleet))
  afterAll(() => runtime.dispose())

  test('finds nothing in a database whose rows are as its writers left them, and has compared rows of every kind', async () => {
    const results = await run(verifyStored())
    expect(findings(results)).toEqual([])
    expect(results.map(({ name }) => name)).toEqual(checks.map(({ name }) => name))
    expect(results.filter(({ rows: compared, name }) => compared === 0 && !name.endsWith('jobs.held'))).toEqual([])
  })

  test('has an example of a difference for each check', () => {
    expect(new Set(corruptions.map(({ check }) => check))).toEqual(new Set(checks.map(({ name }) => name)))
  })

  test.each(corruptions)(
    'finds $check, $field, and nothing else; a repair mends it, and nothing else',
    async ({ check, field, spoil, undo }) => {
      const before = await run(everything)
      await run(rows(spoil))
      const spoiled = await run(everything)
      const results = await run(verifyStored())
      expect(findings(results)).toEqual([
        {
          name: check,
          different: 1,
          differences: expect.arrayContaining([expect.objectContaining({ field })]),
          unread: [],
        },
      ])
      const [repair] = await run(repairStored({ only: [check] }))
      const advice = results.find(({ name }) => name === check)?.advice ?? null
      if (advice === null) expect(repair).toMatchObject({ name: check, repaired: 1, left: null, failed: 0 })
      else {
        expect(repair).toMatchObject({ name: check, repaired: 0, left: { rows: 1, advice }, failed: 0 })
        expect(await run(everything)).toEqual(spoiled)
      }
      if (undo !== repaired) {
        if (advice === null) await run(expectVerified)
        await run(rows(undo))
      }
      if (madeAgain.has(check)) await run(expectVerified)
      else expect(await run(everything)).toEqual(before)
    },
  )

  // The embedded engine has one session, which cannot wait for another.
  test.runIf(engine === 'pg')('says of a piece whose statement was stopped which limit it reached', async () => {
    const sentence = (what: string) =>
      `${what} longer than 1 seconds and was stopped; run the command again when fewer syncs, merges and requests are under way`
    await run(
      Effect.gen(function* () {
        const database = yield* Database
        yield* rows('update server_names set name = name || name')
        const release = Promise.withResolvers<void>()
        const locked = Promise.withResolvers<void>()
        const lock = yield* Effect.fork(
          database.transaction('locking', async (trx) => {
            await sql`lock table server_names in access exclusive mode`.execute(trx)
            locked.resolve()
            await release.promise
          }),
        )
        yield* Effect.promise(() => locked.promise)
        const only = ['server_names.name']
        const [byTime] = yield* verifyStored({ only, limits: { statement: 1, lock: 30 } })
        const [byLock] = yield* verifyStored({ only, limits: { statement: 60, lock: 1 } })
        release.resolve()
        yield* Fiber.join(lock)
        const told = (result: typeof byTime) => [result?.unknown, result?.unread.map(({ reason }) => reason)]
        expect(told(byTime)).toEqual([1, [sentence('comparing server_names.name: a statement took')]])
        expect(told(byLock)).toEqual([1, [sentence('comparing server_names.name: it waited for another writer')]])
        yield* repairStored({ only })
      }),
    )
    await run(expectVerified)
  })

  test('says of a table that cannot be read that nothing is known of it, and goes on', async () => {
    await run(rows('alter table server_nodes rename to server_nodes_damaged'))
    const results = await run(verifyStored())
    const [repair] = await run(repairStored({ only: ['server_nodes.node'] }))
    await run(rows('alter table server_nodes_damaged rename to server_nodes'))
    expect(findings(results)).toEqual([
      {
        name: 'server_nodes.node',
        different: 0,
        differences: [],
        unread: expect.arrayContaining([
          { piece: 'ids 1 to 1', reason: expect.stringMatching(/"server_nodes" does not exist/) },
        ]),
      },
    ])
    expect(repair).toMatchObject({ repaired: 0, failed: results.find(({ unknown }) => unknown > 0)?.unknown })
    await run(expectVerified)
  })
})
