import { type Facts, type LoggedChange, type ModelName, modelNames, type Scope } from '@netbox-pbs/core'
import {
  Branches,
  type ChangeSets,
  Changes,
  type EditValues,
  type Inventory as InventoryPort,
  type InventoryWrites,
  type WritableModel,
} from '@netbox-pbs/core/ports'
import {
  change,
  create,
  datastoreFacts,
  groupFacts,
  jobFacts,
  landOnce,
  may,
  type OneByOne,
  oneByOne,
  type Part,
  remove,
  serverFacts,
  snapshotFacts,
  writesOneByOne,
} from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { sql } from 'kysely'
import { afterAll, describe, expect, test } from 'vitest'
import { timestamp, wholeRow } from '../src/change-log/append-changes.ts'
import { Database } from '../src/database/database.ts'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { tables } from '../src/tables/columns.ts'
import { answer, check, merge, newBranch, revert, rows, stageOnce } from './contract/branching.ts'
import { ada } from './contract/edits.ts'
import { Random } from './contract/random.ts'
import { expectVerified } from './contract/verified.ts'
import { engines } from './engines.ts'

/** Eight histories with NETBOX_PBS_RACES=all (`pnpm races`); else three, and one on the embedded engine. */
const seedsOn = (engine: 'pg' | 'pglite') => {
  if (process.env['NETBOX_PBS_RACES'] === 'all') return [1, 2, 3, 4, 5, 6, 7, 8]
  return engine === 'pg' ? [1, 2, 3] : [1]
}

type Ports = Branches | ChangeSets | Changes | InventoryPort | InventoryWrites | Database

/** A row as the log tells it, and when it was created. */
interface ActionTexts {
  readonly row: Readonly<Record<string, unknown>>
  readonly created: string
}

/** An inventory: its rows by model and id. */
type Inventory = Map<string, ActionTexts>

const logged: ReadonlyArray<ModelName> = modelNames.filter((model) => model !== 'task')
const nameOf = (model: string, id: number) => `${model} ${id}`

/** Main as it is now. */
const inventory = Effect.flatMap(Database, (database) =>
  database.query('reading main', async (db) => {
    const found: Inventory = new Map()
    for (const model of logged) {
      const { rows: of } = await sql<ActionTexts & { readonly id: number }>`
        select m.id, ${wholeRow(model, 'm')} as row, ${timestamp(sql`m.created`)} as created from ${sql.table(tables[model])} m`.execute(
        db,
      )
      for (const { id, row, created } of of) found.set(nameOf(model, id), { row, created })
    }
    return found
  }),
)

/**
 * The inventory before some entries of the log, newest first, computed from the one after them. Any
 * difference between the two is a mistake of the log.
 */
function rebuilt(now: Inventory, newestFirst: ReadonlyArray<LoggedChange>): Inventory {
  const then: Inventory = new Map(now)
  const made: Array<{ readonly server: number | null; readonly created: unknown }> = []
  for (const { id, action, model, objectId, serverId, before, after } of newestFirst) {
    if (!logged.some((name) => name === model)) continue
    if (objectId === null) {
      made.push({ server: serverId, created: after?.['created'] })
      continue
    }
    const name = nameOf(model, objectId)
    const there = then.get(name)
    if ((there === undefined) !== (action === 'delete'))
      throw new Error(`entry ${id}: ${action} of ${name}, which is ${there === undefined ? 'not ' : ''}there`)
    if (action === 'create') then.delete(name)
    else if (action === 'delete') {
      const { created, presence: _, ...row } = before ?? {}
      then.set(name, { row, created: String(created) })
    } else if (there !== undefined) then.set(name, { ...there, row: { ...there.row, ...before } })
  }
  for (const [name, { row, created }] of then) {
    const server = name.startsWith('server ') ? null : row['server']
    if (made.some((one) => one.server === server && one.created === created)) then.delete(name)
  }
  return then
}

const shown = (of: Inventory) => Object.fromEntries([...of].toSorted(([a], [b]) => (a < b ? -1 : 1)))

let requests = 9_000_000
const aRequest = () => ada(++requests)

/** A source's list of a scope, as changes against main. */
const listed = (random: Random, server: { readonly id: number; readonly name: string }) =>
  Effect.gen(function* () {
    const resource = random.pick(['snapshots', 'snapshots', 'snapshots', 'datastores', 'namespaces', 'jobs'] as const)
    const { id, name } = server
    if (resource === 'datastores') {
      const scope: Scope = { resource, server: name }
      const facts = ['tank', 'vault'].map((store) => datastoreFacts(id, store, { comment: random.pick(['', 'x']) }))
      return {
        scope,
        parts: [yield* partOf('datastore', `server_id = ${id}`, random, facts, ({ name: store }) => store)],
      }
    }
    if (resource === 'jobs') {
      const scope: Scope = { resource, server: name, job_type: 'verify' }
      const facts = ['v1', 'v2'].map((job) => jobFacts(id, job, { schedule: random.pick(['daily', 'hourly']) }))
      return {
        scope,
        parts: [yield* partOf('job', `server_id = ${id} and job_type = 'verify'`, random, facts, (of) => of.job_id)],
      }
    }
    if (resource === 'namespaces') {
      const scope: Scope = { resource, server: name, datastore: 'tank' }
      const facts = ['', 'a'].map((path) => ({ server: id, datastore_name: 'tank', path }))
      return {
        scope,
        parts: [
          yield* partOf('namespace', `server_id = ${id} and datastore_name = 'tank'`, random, facts, (of) => of.path),
        ],
      }
    }
    const namespace = random.pick(['', 'a'])
    const scope: Scope = { resource, server: name, datastore: 'tank', namespace }
    const of = `server_id = ${id} and datastore_name = 'tank' and namespace = '${namespace}'`
    const guests = random.some(['100', '200'], 0.8)
    const groups = guests.map((guest) => groupFacts(id, guest, { namespace, comment: random.pick(['', 'g']) }))
    const snapshots = guests.flatMap((guest) =>
      random
        .some([1, 2, 3], 0.6)
        .map((day) =>
          snapshotFacts(id, guest, may(day), { namespace, comment: random.pick(['', 'x']), protected: random.is(0.5) }),
        ),
    )
    const snapshotKey = (facts: Pick<Facts<'snapshot'>, 'backup_id' | 'backup_time'>) =>
      `${facts.backup_id}/${facts.backup_time}`
    return {
      scope,
      parts: [
        yield* partOf('snapshot', of, random, snapshots, snapshotKey, 1),
        yield* partOf('group', of, random, groups, ({ backup_id }) => backup_id, 1),
      ],
    }
  })

type Listed = Exclude<ModelName, 'server' | 'task'>

/** The changes that bring main's rows of a scope in step with a list: most of what could be in it. */
const partOf = <M extends Listed>(
  model: M,
  where: string,
  random: Random,
  possible: ReadonlyArray<Facts<M>>,
  key: (facts: Facts<M>) => string,
  share = 0.8,
): Effect.Effect<Part, never, Database> =>
  Effect.gen(function* () {
    const list = random.some(possible, share)
    const main = yield* rows<Facts<M> & { id: number; server_id: number; presence: string }>(
      `select * from ${tables[model]} where ${where} and presence <> 'manual'`,
    )
    const keys = new Map(list.map((facts) => [key(facts), facts]))
    const there = new Map(main.map((row) => [key(row), row]))
    return {
      model,
      changes: [
        ...list.flatMap((facts) => {
          const row = there.get(key(facts))
          if (row === undefined) return [create(model, facts)]
          const differing = Object.entries(facts).filter(
            ([field, value]) =>
              ['comment', 'protected', 'schedule'].includes(field) && value !== row[field as keyof Facts<M>],
          )
          return [change(model, row.id, facts, Object.fromEntries(differing) as never)]
        }),
        ...main.flatMap((row) =>
          keys.has(key(row)) ? [] : [remove(model, row.id, { ...row, server: row.server_id })],
        ),
      ],
    } as Part
  }).pipe(Effect.orDie)

/** A row that a person makes. */
function newRow(random: Random, model: Exclude<WritableModel, 'server'>, server: number): EditValues {
  if (model === 'datastore') return { server, name: random.pick(['tank', 'vault', 'own']), path: '/p' }
  if (model === 'job') return { server, job_type: 'verify', job_id: random.pick(['v1', 'v3']) }
  const key = { server, datastore_name: 'tank', namespace: random.pick(['', 'a', 'b']), backup_type: 'vm' }
  return { ...key, backup_id: random.pick(['100', '300']), backup_time: may(random.upTo(6) + 1), comment: 'mine' }
}

/** A person's new values of a row, also of its key. */
function newValues(random: Random, model: WritableModel, servers: ReadonlyArray<number>, mark: string): EditValues {
  const tags = random.is(0.3) ? { tags: [{ slug: random.pick(['red', 'blue']) }] } : {}
  if (model === 'server')
    return {
      ...tags,
      ...(random.is(0.4) ? { name: `${mark}-${random.upTo(99)}` } : { port: random.upTo(9999) }),
    }
  const moved = random.is(0.2) && servers.length > 0 ? { server: random.pick(servers) } : {}
  if (model === 'datastore')
    return { ...tags, ...moved, comment: random.pick(['', 'mine']), name: random.pick(['tank', 'vault', 'other']) }
  if (model === 'job') return { ...tags, ...moved, schedule: random.pick(['daily', 'weekly']) }
  const key = random.is(0.4) ? { namespace: random.pick(['', 'a', 'b']), backup_id: random.pick(['100', '300']) } : {}
  return { ...tags, ...moved, ...key, comment: random.pick(['', 'mine', 'x']), protected: random.is(0.5) }
}

/** Writes without effect: another row has the key, the server is gone, or a reviewer's answer was not enough. */
const mayFail = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.catchAll(effect, (error) =>
    [
      'KeyTaken',
      'ServerGone',
      'BranchInConflict',
      'BranchNotOpen',
      'BranchScopeUnknown',
      'ChangeSetClosed',
      'ScopeInReview',
      'BranchNotMerged',
    ].includes(error._tag)
      ? Effect.succeed(null)
      : Effect.die(error),
  )

/** A history of one thing after another, by chance. */
class History {
  readonly #random: Random
  readonly #mark: string
  readonly #merged: Array<number> = []
  #names = 0
  /** The steps so far, in order. */
  readonly done: Array<string> = []

  constructor(seed: number, mark: string) {
    this.#random = new Random(seed)
    this.#mark = mark
  }

  #servers = Effect.suspend(() =>
    rows<{ id: number; name: string }>(`select id, name from servers where name like '${this.#mark}%' order by id`),
  )

  get step() {
    return Effect.gen(this, function* () {
      const random = this.#random
      const servers = yield* this.#servers
      const kind = servers.length < 3 ? 'server' : random.pick(kinds)
      this.done.push(kind)
      const server = servers.length === 0 ? { id: 0, name: '' } : random.pick(servers)
      switch (kind) {
        case 'server': {
          const facts = serverFacts(`${this.#mark}-${++this.#names}`)
          const part: Part = { model: 'server', changes: [create('server', facts)] }
          const landed = yield* mayFail(landOnce({ resource: 'servers' }, [part]))
          // Once a merge that changed a server was undone, the list of servers waits for review.
          if (landed !== null) return
          const row = { name: facts.name, host: 'h', token_id: 't@pbs!x' }
          return yield* (yield* writesOneByOne).create({ model: 'server', rows: [row], actor: aRequest() })
        }
        case 'sync':
          return yield* mayFail(Effect.flatMap(listed(random, server), ({ scope, parts }) => landOnce(scope, parts)))
        case 'branch of a run': {
          const branch = yield* newBranch(`${this.#mark} ${++this.#names}`)
          for (let nth = 0; nth < 3; nth++) {
            const { scope, parts } = yield* listed(random, random.pick(servers))
            yield* mayFail(stageOnce(branch.id, scope, parts))
          }
          if (random.is(0.5)) yield* this.#edits(yield* writesOneByOne, 2)
          return yield* this.#merge(branch.id)
        }
        case 'edit':
          return yield* this.#edits(yield* writesOneByOne, 3)
        case 'branch': {
          const branch = yield* newBranch(`${this.#mark} ${++this.#names}`, 'operator')
          yield* this.#edits(oneByOne((yield* Branches).overlay({ id: branch.id }).writes), 6)
          if (random.is(0.5)) yield* this.#edits(yield* writesOneByOne, 2)
          return yield* this.#merge(branch.id)
        }
        case 'revert': {
          if (this.#merged.length === 0) return
          const into = yield* mayFail(revert(random.pick(this.#merged), `${this.#mark} ${++this.#names}`))
          if (into !== null) yield* this.#merge(into.id)
          return
        }
        case 'delete': {
          const write = yield* writesOneByOne
          return yield* mayFail(write.remove({ model: 'server', id: server.id, actor: aRequest() }))
        }
      }
    }).pipe(Effect.orDie)
  }

  #merge(id: number) {
    return Effect.gen(this, function* () {
      yield* mayFail(check(id))
      yield* mayFail(answer(id, { choice: this.#random.pick(['main', 'branch'] as const) }))
      const merged = yield* mayFail(merge(id, this.#random.is(0.8)))
      if (merged?.branch.status === 'merged') this.#merged.push(id)
    })
  }

  /** Edits by a person, in main or in a branch. */
  #edits(writes: OneByOne, count: number) {
    return Effect.gen(this, function* () {
      const random = this.#random
      for (let nth = 0; nth < count; nth++) {
        const ids = (yield* this.#servers).map(({ id }) => id)
        if (ids.length === 0) return
        const model = random.pick(['snapshot', 'snapshot', 'datastore', 'job', 'server'] as const)
        const of = model === 'server' ? 'id' : 'server_id'
        const there = yield* rows<{ id: number }>(
          `select id from ${tables[model]} where ${of} in (${ids.join()}) order by id`,
        )
        const what = random.pick(['make', 'change', 'change', 'remove'] as const)
        if (what === 'make' && model !== 'server') {
          yield* mayFail(writes.create({ model, rows: [newRow(random, model, random.pick(ids))], actor: aRequest() }))
        } else if (
          there.length > 0 &&
          (what === 'change' || (what === 'remove' && (model !== 'server' || random.is(0.4))))
        ) {
          const { id } = random.pick(there)
          const actor = aRequest()
          const values = newValues(random, model, ids, this.#mark)
          yield* mayFail(
            what === 'change' ? writes.update({ model, id, values, actor }) : writes.remove({ model, id, actor }),
          )
        }
      }
    })
  }
}

const kinds = [
  'sync',
  'sync',
  'sync',
  'sync',
  'edit',
  'edit',
  'branch',
  'branch of a run',
  'revert',
  'delete',
  'server',
] as const

describe.each(engines)(
  'every earlier inventory comes out of main and the change log alone, on $engine',
  ({ migrated, engine }) => {
    const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
    const run = <A, E>(effect: Effect.Effect<A, E, Ports>) => runtime.runPromise(effect)
    afterAll(() => runtime.dispose())

    const reached = Effect.map(
      rows<{ id: number }>('select coalesce(max(id), 0) as id from changes'),
      ([row]) => row?.id ?? 0,
    )

    test.each(seedsOn(engine))('after the history of seed %i', async (seed) => {
      await run(
        Effect.gen(function* () {
          const history = new History(seed, `${engine}-${seed}`)
          const seen: Array<{ readonly upTo: number; readonly inventory: Inventory }> = []
          for (let nth = 0; nth < 60; nth++) {
            yield* history.step
            seen.push({ upTo: yield* reached, inventory: yield* inventory })
          }
          if (engine === 'pg') yield* expectVerified
          const now = yield* inventory
          const changes = yield* Changes
          const { rows: oldestFirst } = yield* changes.list({
            filter: { afterId: seen[0]?.upTo ?? 0 },
            limit: 100_000,
            offset: 0,
          })
          for (const [nth, { upTo, inventory: was }] of seen.entries()) {
            const later = oldestFirst.filter(({ id }) => id > upTo).toReversed()
            expect(shown(rebuilt(now, later)), `after step ${nth + 1}: ${history.done[nth]}`).toEqual(shown(was))
          }
        }),
      )
    })

    // One history has not all of it.
    if (seedsOn(engine).length === 1) return
    test('and these histories have all that can happen to an inventory', async () => {
      const happened = await run(
        rows<{ readonly what: string }>(`
          select distinct c.action || ' ' || c.model || ' by ' ||
            case when c.branch_id is not null then b.kind || ' branch' when c.run_id is not null then 'sync' else 'edit' end as what
          from changes c left join branches b on b.id = c.branch_id`),
      )
      const what = new Set(happened.map((one) => one.what))
      const each = (models: ReadonlyArray<string>, authors: ReadonlyArray<string>) =>
        authors.flatMap((by) =>
          models.flatMap((model) => (['create', 'delete'] as const).map((action) => `${action} ${model} by ${by}`)),
        )
      const expected = [
        ...each(['snapshot'], ['sync', 'edit', 'sync branch', 'operator branch', 'revert branch']),
        ...each(['datastore', 'job'], ['edit', 'operator branch']),
        'delete server by edit',
        'delete server by operator branch',
      ]
      expect(expected.filter((one) => !what.has(one))).toEqual([])
    })
  },
)
