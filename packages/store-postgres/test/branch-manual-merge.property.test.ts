import type { Branches, ChangeSets, EditValues, Inventory, InventoryWrites } from '@netbox-pbs/core/ports'
import { may } from '@netbox-pbs/testing'
import { Effect, FastCheck, Layer, ManagedRuntime } from 'effect'
import { afterAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { main, personsBranch } from './contract/branch-edits.ts'
import { check, merge, newFleet, rows } from './contract/branching.ts'
import { engines } from './engines.ts'

type Row = Readonly<Record<string, unknown>> & { readonly id: number }
type Entry = Row & { readonly op: string; readonly touched: ReadonlyArray<string>; readonly base: Row }

const tables = { server: 'servers', datastore: 'datastores', snapshot: 'snapshots', job: 'jobs' } as const
type Model = keyof typeof tables

/** Names of servers, datastores and guests: main has the first two of each, and the first guest, so that they meet. */
const names = [
  ['a', 'tank', '100'],
  ['b', 'vault', '200'],
  ['c', 'new', '300'],
] as const

/** One thing that a person does. `nth` picks a row among those there are; names are few, so that they meet. */
const step = FastCheck.record({
  what: FastCheck.constantFrom('make' as const, 'edit', 'move', 'swap', 'remove', 'leave'),
  model: FastCheck.constantFrom<Array<Model>>('server', 'datastore', 'datastore', 'snapshot', 'snapshot', 'job'),
  nth: FastCheck.nat(20),
  name: FastCheck.nat(names.length - 1),
  text: FastCheck.constantFrom('', 'x', 'y'),
  day: FastCheck.integer({ min: 1, max: 4 }),
})
type Step = typeof step extends FastCheck.Arbitrary<infer S> ? S : never

/** The compared columns: all that a user may write. */
const columns: Readonly<Record<Model, string>> = {
  server: 'id, name, host, sync_schedule, tags, custom_fields',
  datastore: 'id, server_id, name, path, comment, tags, custom_fields',
  snapshot: 'id, server_id, datastore_name, backup_id, backup_time, comment, tags, custom_fields',
  job: 'id, server_id, job_type, job_id, comment, tags, custom_fields',
}

describe.each(engines)(
  'what a person’s branch shows is what main has after it merges, on $engine',
  ({ migrated, engine }) => {
    const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
    const run = <A, E>(effect: Effect.Effect<A, E, Branches | ChangeSets | InventoryWrites | Database | Inventory>) =>
      runtime.runPromise(effect)
    afterAll(() => runtime.dispose())

    /** Main's rows of the servers in question. */
    const mainRows = (model: Model, prefix: string) =>
      rows<Row>(
        `select ${columns[model]} from ${tables[model]} t where ${
          model === 'server'
            ? `t.name like '${prefix}%'`
            : `exists (select from servers v where v.id = t.server_id and v.name like '${prefix}%')`
        }`,
      )

    /** The rows that a branch shows, worked out row by row from its entries and main. */
    const shown = (model: Model, branch: number, prefix: string) =>
      Effect.gen(function* () {
        const entries = new Map<number, Entry>()
        for (const entry of yield* rows<Entry>(
          `select ${columns[model]}, op, touched, base from branch_${tables[model]} where branch_id = ${branch}`,
        )) {
          entries.set(entry.id, entry)
        }
        const removed = new Set(
          (yield* rows<Row>(`select id from branch_servers where branch_id = ${branch} and op = 'delete'`)).map(
            ({ id }) => id,
          ),
        )
        const seen: Array<Row> = []
        for (const row of yield* mainRows(model, prefix)) {
          const entry = entries.get(row.id)
          const now = entry === undefined ? row : entry.op === 'delete' ? null : over(row, entry)
          if (now !== null && !removed.has(Number(now['server_id']))) seen.push(now)
        }
        for (const { op, touched: _, base: __, ...row } of entries.values()) if (op === 'create') seen.push(row as Row)
        return byId(seen)
      })

    /** Does a step where the branch lets it: a key that is taken is no mistake of the branch. */
    const doIn = (branch: Edits, prefix: string, { what, model, nth, name, text, day }: Step) =>
      Effect.gen(function* () {
        const servers = yield* shown('server', branch.id, prefix)
        const existing = model === 'server' ? servers : yield* shown(model, branch.id, prefix)
        const [row, other] = [
          existing[nth % Math.max(existing.length, 1)],
          existing[(nth + 1) % Math.max(existing.length, 1)],
        ]
        const server = servers[day % Math.max(servers.length, 1)]?.id
        const [host, store, guest] = names[name] ?? names[0]
        if (what === 'make' && model === 'server')
          return yield* branch.create('server', { name: `${prefix}${host}`, host: text || 'h', token_id: 't@pbs!x' })
        if (server === undefined) return
        const key = {
          server: { name: `${prefix}${host}` },
          datastore: { server, name: store },
          snapshot: { server, datastore_name: 'tank', backup_type: 'vm', backup_id: guest, backup_time: may(day) },
          job: { server, job_type: 'gc', job_id: store },
        }[model]
        if (what === 'make')
          return yield* branch.create(model, { ...key, ...(model === 'datastore' ? { path: '/p' } : {}) })
        if (row === undefined || other === undefined) return
        if (what === 'remove') return yield* branch.remove(model, row.id)
        if (what === 'move') return yield* branch.update(model, row.id, key)
        if (what === 'leave') return yield* leave(branch, model, row, server)
        if (what === 'swap') return yield* swap(branch, model, row, other)
        const words = model === 'server' ? { host: text || 'h', sync_schedule: text } : { comment: text }
        const custom_fields = { [host]: text }
        return yield* branch.update(model, row.id, { ...words, tags: text === '' ? [] : [guest], custom_fields })
      }).pipe(Effect.catchTag('KeyTaken', () => Effect.void))

    /** Gives two rows each other's key, by way of an unused one. */
    const swap = (branch: Edits, model: Model, one: Row, other: Row) =>
      Effect.gen(function* () {
        const text = { server: 'name', datastore: 'name', snapshot: 'backup_id', job: 'job_id' }[model]
        yield* branch.update(model, one.id, { [text]: `between ${one.id}` })
        yield* branch.update(model, other.id, keyOf(model, one))
        yield* branch.update(model, one.id, keyOf(model, other))
      })

    /** Moves a row to another server, and deletes the one it lay on. */
    const leave = (branch: Edits, model: Model, row: Row, server: number) =>
      Effect.gen(function* () {
        const old = Number(row['server_id'])
        if (model === 'server' || old === server) return
        yield* branch.update(model, row.id, { server })
        yield* branch.remove('server', old)
      })

    type Edits = Effect.Effect.Success<ReturnType<typeof personsBranch>>
    let fleets = 0

    test('whatever was done in it, and whatever else main has changed', async () => {
      const models = ['server', 'datastore', 'snapshot', 'job'] as const
      await FastCheck.assert(
        FastCheck.asyncProperty(
          FastCheck.array(step, { minLength: 1, maxLength: 25 }),
          FastCheck.boolean(),
          (steps, edited) =>
            run(
              Effect.gen(function* () {
                fleets += 1
                const prefix = `${engine}-${fleets}-`
                const first = yield* newFleet(`${prefix}a`)
                const second = yield* newFleet(`${prefix}b`)
                const branch = yield* personsBranch(prefix)
                for (const one of steps) yield* doIn(branch, prefix, one)
                if (edited) {
                  // Of what the steps never touch: nothing of it is in conflict, unless its row is
                  // deleted in the branch.
                  const edits = yield* main
                  yield* edits.update('datastore', first.tank.id, { path: '/main' })
                  yield* edits.update('server', second.server, { port: 9000 })
                }
                const checked = yield* check(branch.id)
                if (checked.conflicts > 0) return
                const expected = yield* Effect.forEach(models, (model) => shown(model, branch.id, prefix))
                yield* merge(branch.id)
                const landed = yield* Effect.forEach(models, (model) => Effect.map(mainRows(model, prefix), byId))
                expect(landed).toEqual(expected)
                const counted = yield* rows<{ readonly snapshot_count: number; readonly real: number }>(
                  `select g.server_id, g.backup_id, g.snapshot_count, (select count(*) from snapshots s where s.server_id = g.server_id and s.backup_id = g.backup_id) as real
               from groups g join servers v on v.id = g.server_id where v.name like '${prefix}%'`,
                )
                expect(counted.filter(({ snapshot_count, real }) => snapshot_count !== real)).toEqual([])
                expect(
                  yield* rows(
                    `select s.id from snapshots s join servers v on v.id = s.server_id and v.name like '${prefix}%'
                 where not exists (select from groups g where g.server_id = s.server_id and g.backup_id = s.backup_id)`,
                  ),
                ).toEqual([])
              }),
            ),
        ),
        // The statements are the same on both engines; on the embedded one they take three times as long.
        { numRuns: engine === 'pg' ? 25 : 8 },
      )
    })
  },
)

const byId = (of: ReadonlyArray<Row>): ReadonlyArray<Row> => of.toSorted((a, b) => a.id - b.id)

/** The key of a row, as a user writes it. */
function keyOf(model: Model, row: Row): EditValues {
  const { id: _, server_id: server, name, datastore_name, backup_id, backup_time, job_type, job_id } = row
  const parts = { server, name, datastore_name, backup_id, backup_time, job_type, job_id }
  const given = Object.entries(parts).filter(([, value]) => value !== undefined)
  return Object.fromEntries(model === 'server' ? [['name', name]] : given) as EditValues // border: rows of SQL
}

/**
 * Main's row with an entry on top. Only the branch touches tags and custom fields here, so the
 * entry has them whole.
 */
function over(row: Row, entry: Entry): Row {
  const names = entry.touched.map((name) => (name === 'server' ? 'server_id' : name))
  return { ...row, ...Object.fromEntries(names.map((name) => [name, entry[name]])) }
}
