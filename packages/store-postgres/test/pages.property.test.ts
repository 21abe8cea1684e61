import { type Field, type Filter, type ListQuery, listFields, type OrderTerm, registry } from '@netbox-pbs/core'
import { Branches, InventoryLists, visibleServers } from '@netbox-pbs/core/ports'
import { may, meets, oneByOne, writesOneByOne } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { newBranch } from './contract/branching.ts'
import { edits } from './contract/edits.ts'
import { Random } from './contract/random.ts'
import { type Ids, randomFleet, writeSome } from './contract/random-fleet.ts'
import { expectVerified } from './contract/verified.ts'
import { engines } from './engines.ts'

type Lists = InventoryLists['Type']
type Model = 'snapshot' | 'group'
type Value = Filter['values'][number]
type Row = Readonly<Record<string, Value>>

const lookups = {
  text: ['exact', 'exact', 'ic', 'isw', 'empty'],
  choice: ['exact'],
  boolean: ['exact'],
  reference: ['exact'],
  integer: ['exact', 'gte'],
  datetime: ['exact', 'lt'],
} as const

/** Texts in which a letter, its case or a special character may be taken for another one. */
const texts = [
  'Größe',
  'НАСЛЕДИЕ',
  '100%',
  'a_b',
  'acb',
  'a\\b',
  "E'f",
  'a"b',
  'x y',
  'İ x',
  'ΣΑΣ',
  '\u212Aelvin',
  'ﬁn',
]

/** The fields that counters know, each as often as the others together. */
const fields: Readonly<Record<Model, ReadonlyArray<string>>> = {
  snapshot: [
    ...[...registry.group.key, 'owner', 'protected', 'verification_state', 'crypt_mode', 'finished'],
    ...['comment', 'size_bytes', 'backup_time'],
  ],
  group: [...registry.group.key, 'owner', 'snapshot_count'],
}

const orders: Readonly<Record<Model, ReadonlyArray<string>>> = {
  snapshot: ['backup_time', 'size_bytes', 'verification_state', 'protected', 'server', 'backup_id'],
  group: ['last_backup', 'snapshot_count', 'server', 'backup_id'],
}

const fieldValue = (row: Row, field: string): Value => row[field] ?? null

function randomFilter(random: Random, model: Model, rows: ReadonlyArray<Row>): Filter {
  const name = random.pick(fields[model])
  const { type } = listFields(model)[name] as Field
  const lookup = random.pick<Filter['lookup']>(lookups[type as keyof typeof lookups])
  const value = (): Value => {
    if (lookup === 'empty') return random.is(0.5)
    const one = rows.length > 0 && random.is(0.8) ? fieldValue(random.pick(rows), name) : null
    if (one !== null) return typeof one === 'string' && lookup !== 'exact' ? one.slice(0, 1 + random.upTo(3)) : one
    return { text: 'zz', choice: 'unknown', boolean: true, reference: 0, integer: 3, datetime: '2026-05-04T00:00:00Z' }[
      type as keyof typeof lookups
    ]
  }
  const values = Array.from({ length: lookup === 'empty' ? 1 : 1 + random.upTo(2) }, value)
  return { field: name, lookup, ...(lookup !== 'empty' && random.is(0.35) ? { negated: true } : {}), values }
}

/** Text by its code points, times as times, and rows without a value after all others. */
function compared(a: Value, b: Value): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null)
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return Number(a) - Number(b)
}

const orderOf = (model: Model, order: ReadonlyArray<OrderTerm>) => [
  ...(order.length > 0
    ? order
    : registry[model].order.map((text) => ({ field: text.replace('-', ''), descending: text.startsWith('-') }))
  ).map(({ field, descending }) => ({ field: field === 'server' ? 'serverName' : field, descending })),
  { field: 'id', descending: false },
]

/** What a page has to show, worked out row by row. */
function expectedPage(
  rows: ReadonlyArray<Row>,
  model: Model,
  { filters, order, page }: Pick<ListQuery, 'filters' | 'order'> & { page: { limit: number; offset: number } },
) {
  const met = rows.filter((row) =>
    filters.every((filter) => meets(listFields(model)[filter.field] as Field, fieldValue(row, filter.field), filter)),
  )
  const sorted = met.toSorted((a, b) => {
    for (const { field, descending } of orderOf(model, order)) {
      const sign = compared(fieldValue(a, field), fieldValue(b, field))
      if (sign !== 0) return descending ? -sign : sign
    }
    return 0
  })
  return { count: met.length, ids: sorted.slice(page.offset, page.offset + page.limit).map(({ id }) => id) }
}

describe.each(engines)('pages on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  afterAll(() => runtime.dispose())
  let branch = 0
  let servers: ReadonlyArray<number> = []

  beforeAll(() =>
    runtime.runPromise(
      Effect.gen(function* () {
        const random = new Random(3)
        const fleet: Ids = yield* randomFleet(random)
        const ofBranch: Ids = {
          server: [...fleet.server],
          datastore: [...fleet.datastore],
          snapshot: [...fleet.snapshot],
          job: [...fleet.job],
        }
        servers = [...fleet.server]
        const [server = 0] = servers
        yield* (yield* edits).create({
          model: 'snapshot',
          rows: texts.map((text, nth) => ({
            ...{ server, datastore_name: 'tank', namespace: nth % 3 === 0 ? text : '', backup_type: 'ct' },
            ...{ backup_id: nth % 2 === 0 ? text : 'odd', backup_time: may(1 + nth) },
            ...{ owner: texts[(nth + 1) % texts.length] ?? '', comment: `${texts[(nth + 2) % texts.length]}\n${text}` },
          })),
        })
        branch = (yield* newBranch('pages', 'operator')).id
        const overlay = (yield* Branches).overlay({ id: branch })
        yield* writeSome(oneByOne(overlay.writes), random, ofBranch, 30)
        yield* writeSome(yield* writesOneByOne, random, fleet, 15)
        yield* writeSome(oneByOne(overlay.writes), random, ofBranch, 15)
        yield* expectVerified
      }),
    ),
  )

  const inMain: Effect.Effect<Lists, never, Branches | InventoryLists> = InventoryLists
  const inBranch: typeof inMain = Effect.map(Branches, (branches) => branches.overlay({ id: branch }).lists)
  const rounds = process.env['NETBOX_PBS_RACES'] === 'all' ? 1000 : 120

  describe.each([
    ['main', inMain],
    ['a branch', inBranch],
  ] as const)('of %s', (_, inventory) => {
    test.each(['snapshot', 'group'] as const)(
      'of %ss show and count what a plain reading of all rows does, for every user',
      async (model) => {
        const lists = await runtime.runPromise(inventory)
        const random = new Random(5)
        const all = await runtime.runPromise(
          lists.list({
            ...{ model, filters: [], search: null, order: [] },
            page: { _tag: 'cursor', limit: 5000, start: 0 },
          }),
        )
        const rows = all.rows as unknown as ReadonlyArray<Row>
        expect(rows.length).toBeGreaterThan(10)
        for (let round = 0; round < rounds; round++) {
          const filters = Array.from({ length: random.upTo(4) }, () => randomFilter(random, model, rows))
          const order = random.is(0.6)
            ? []
            : random.some(orders[model], 0.4).map((field) => ({ field, descending: random.is(0.5) }))
          const page = { limit: 1 + random.upTo(12), offset: random.pick([0, 0, random.upTo(rows.length + 3)]) }
          const seen = random.is(0.25) ? random.some(servers, 0.5) : null
          const got = await runtime.runPromise(
            lists
              .list({ model, filters, search: null, order, page: { _tag: 'offset', ...page } })
              .pipe(Effect.locally(visibleServers, seen)),
          )
          const visible = seen === null ? rows : rows.filter((row) => seen.includes(Number(row['server'])))
          expect(
            { count: got.count, ids: got.rows.map(({ id }) => id) },
            `${model} ${JSON.stringify({ filters, order, page, seen })}`,
          ).toEqual(expectedPage(visible, model, { filters, order, page }))
        }
      },
    )

    test('that a search finds show and count the rows that it finds among rows read one by one', async () => {
      const lists = await runtime.runPromise(inventory)
      const random = new Random(9)
      const one = (query: Omit<ListQuery<'snapshot'>, 'model'>, seen: ReadonlyArray<number> | null) =>
        runtime.runPromise(
          Effect.map(
            lists.list({ model: 'snapshot', ...query }).pipe(Effect.locally(visibleServers, seen)),
            ({ count, rows }) => ({ count, ids: rows.map(({ id }) => id) }),
          ),
        )
      const searches = [
        ...[
          'a',
          'A',
          'b',
          'c',
          'tank',
          'listed',
          '10',
          '100',
          'x',
          'B@PBS',
          '@',
          'no such text',
          '\n',
          '%',
          '_',
          '\\',
          '"',
        ],
        ...texts.flatMap((text) => [text, text.toUpperCase(), text.toLowerCase(), text.slice(1), text.slice(0, 2)]),
      ]
      let found = 0
      for (let round = 0; round < rounds; round++) {
        const search = searches[round] ?? random.pick(searches)
        const filters = random.is(0.7) ? [] : [randomFilter(random, 'snapshot', [])]
        const order = random.is(0.7) ? [] : [{ field: 'backup_time', descending: true }]
        const page = {
          _tag: 'offset',
          limit: 1 + random.upTo(30),
          offset: random.pick([0, 0, random.upTo(20)]),
        } as const
        const seen = random.is(0.2) ? random.some(servers, 0.5) : null
        // No counter knows ids: such a list reads every row.
        const everyRow: Filter = { field: 'id', lookup: 'gte', values: [0] }
        const plain = await one({ filters: [...filters, everyRow], search, order, page }, seen)
        const got = await one({ filters, search, order, page }, seen)
        expect(got, JSON.stringify({ search, filters, order, page, seen })).toEqual(plain)
        found += plain.count ?? 0
      }
      expect(found).toBeGreaterThan(rounds)
    })
  })
})
