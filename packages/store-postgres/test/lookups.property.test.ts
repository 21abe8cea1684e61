import { type Field, type Filter, listFields, type ModelName, modelNames } from '@netbox-pbs/core'
import { Branches, InventoryLists } from '@netbox-pbs/core/ports'
import { create, landOnce, may, meets, oneByOne, rootOf, snapshotFacts, writesOneByOne } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inventoryLayer } from '../src/ports/inventory-layer.ts'
import { newBranch } from './contract/branching.ts'
import { edits } from './contract/edits.ts'
import { Random } from './contract/random.ts'
import { type Ids, randomFleet, writeSome } from './contract/random-fleet.ts'
import { engines } from './engines.ts'

type Lists = InventoryLists['Type']

const page = { _tag: 'offset', limit: 1000, offset: 0 } as const

/** Texts in which every letter, case and special character may be taken for another one. */
const texts = [
  '',
  'a',
  'A',
  'ab',
  'Größe',
  'größe',
  'наследие',
  'НАСЛЕДИЕ',
  '100%',
  '100x',
  'a_b',
  'acb',
  'a\\b',
  "E'f",
  'a"b',
  'x y',
]
const patterns = ['^a', 'b$', 'a.b', 'ö', 'Ö', 'наследие+', '[%_]', '\\\\', '(?:a|x) ?[by]', 'a{1,2}', '^$', '']
const lookups = {
  text: ['exact', 'ie', 'ic', 'isw', 'iew', 'regex', 'iregex', 'empty'],
  choice: ['exact', 'empty'],
  integer: ['exact', 'lt', 'lte', 'gt', 'gte', 'empty'],
  datetime: ['exact', 'lt', 'lte', 'gt', 'gte', 'empty'],
  boolean: ['exact'],
  reference: ['exact'],
  json: [],
} as const satisfies Readonly<Record<Field['type'], ReadonlyArray<Filter['lookup']>>>

/** A random filter by a field, often with a value that some row has, or nearly has. */
function randomFilter(
  random: Random,
  name: string,
  field: Field,
  present: ReadonlyArray<Filter['values'][number]>,
): Filter {
  const lookup = random.pick<Filter['lookup']>(lookups[field.type].length > 0 ? lookups[field.type] : ['empty'])
  const value = (): Filter['values'][number] => {
    if (lookup === 'empty') return random.is(0.5)
    if (lookup === 'regex' || lookup === 'iregex') return random.pick(patterns)
    if (lookup === 'exact' && random.is(0.15)) return null
    const one = present.length > 0 && random.is(0.6) ? random.pick(present) : null
    if (one !== null)
      return typeof one === 'string' && field.type === 'text' && random.is(0.5) ? one.slice(random.upTo(3)) : one
    if (field.type === 'boolean') return random.is(0.5)
    if (field.type === 'datetime')
      return random.pick([may(3), may(30), '1970-01-01T00:00:00Z', '2026-05-04T00:00:00.000001Z'])
    if (field.type === 'integer' || field.type === 'reference')
      return random.pick([0, 1, 7, 500, -1, Number.MAX_SAFE_INTEGER])
    if (field.type === 'choice') return random.pick(field.choices).value
    return random.pick(texts)
  }
  const values = Array.from({ length: lookup === 'empty' ? 1 : 1 + random.upTo(3) }, value)
  return { field: name, lookup, ...(lookup !== 'empty' && random.is(0.4) ? { negated: true } : {}), values }
}

describe.each(engines)('every lookup on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, migrated))
  afterAll(() => runtime.dispose())
  let branch = 0

  beforeAll(() =>
    runtime.runPromise(
      Effect.gen(function* () {
        const random = new Random(7)
        const ids: Ids = yield* randomFleet(random)
        const [server = 0] = ids.server
        const writes = yield* edits
        yield* writes.create({
          model: 'snapshot',
          rows: texts.map((text, nth) => ({
            server,
            datastore_name: `of ${text}`,
            backup_type: 'vm',
            backup_id: text === '' ? 'none' : text,
            backup_time: may(1 + nth),
            owner: text,
            comment: `${text} ${nth}`,
            size_bytes: nth % 4 === 0 ? null : nth % 4 === 1 ? Number.MAX_SAFE_INTEGER : nth,
          })),
        })
        yield* writes.create({
          model: 'datastore',
          rows: texts.map((text, nth) => ({ server, name: `${nth}${text}`, path: `/${text}`, comment: text })),
        })
        // Types that a source may name one day, and we do not know.
        yield* landOnce(rootOf('c'), [
          {
            model: 'snapshot',
            changes: [create('snapshot', snapshotFacts(server, '9', may(1), { backup_type: 'odd' }))],
          },
        ])
        branch = (yield* newBranch('lookups', 'operator')).id
        const overlay = (yield* Branches).overlay({ id: branch })
        const ofBranch = Object.fromEntries(Object.entries(ids).map(([model, some]) => [model, [...some]])) as Record<
          keyof Ids,
          Array<number>
        >
        yield* writeSome(oneByOne(overlay.writes), random, ofBranch, 30)
        yield* writeSome(yield* writesOneByOne, random, ids, 10)
      }),
    ),
  )

  const inventories: ReadonlyArray<readonly [string, Effect.Effect<Lists, never, Branches | InventoryLists>]> = [
    ['main', InventoryLists],
    ['a branch', Effect.map(Branches, (branches) => branches.overlay({ id: branch }).lists)],
  ]
  const rounds = process.env['NETBOX_PBS_RACES'] === 'all' ? 20 : 2

  test.each(inventories)('finds in %s the rows that a plain reading of the filter finds', async (_, inventory) => {
    const lists = await runtime.runPromise(inventory)
    const list = async (model: ModelName, filters: ReadonlyArray<Filter>) =>
      runtime.runPromise(
        lists.list({ model, filters, search: null, order: [{ field: 'id', descending: false }], page }),
      )
    const random = new Random(11)
    for (const model of modelNames) {
      const { rows } = await list(model, [])
      const fieldValue = (row: object, field: string) => Object.entries(row).find(([name]) => name === field)?.[1]
      const fields = Object.entries(listFields(model))
      for (const [name, field] of fields) {
        for (let round = 0; round < rounds; round++) {
          const filters = [
            randomFilter(
              random,
              name,
              field,
              rows.map((row) => fieldValue(row, name)),
            ),
          ]
          const [other, otherField] = random.pick(fields)
          if (random.is(0.3))
            filters.push(
              randomFilter(
                random,
                other,
                otherField,
                rows.map((row) => fieldValue(row, other)),
              ),
            )
          const expected = rows.filter((row) =>
            filters.every((filter) =>
              meets(listFields(model)[filter.field] as Field, fieldValue(row, filter.field), filter),
            ),
          )
          const found = await list(model, filters)
          expect([found.count, found.rows.map(({ id }) => id)], `${model} ${JSON.stringify(filters)}`).toEqual([
            expected.length,
            expected.map(({ id }) => id),
          ])
        }
      }
    }
  })

  test('finds what a request created and changed', async () => {
    const found = await runtime.runPromise(
      Effect.gen(function* () {
        const writes = yield* writesOneByOne
        const lists = yield* InventoryLists
        const request = (nth: number) => `6d0f2f7e-0000-4000-9000-00000000000${nth}`
        const actor = (nth: number) => ({ user: 'ann', requestId: request(nth) })
        const row = (name: string) => ({ name, host: 'h', token_id: 't@pbs!x' })
        const [first = 0] = yield* writes.create({ model: 'server', rows: [row('by request')], actor: actor(1) })
        const [second = 0] = yield* writes.create({ model: 'server', rows: [row('by another')], actor: actor(2) })
        yield* writes.update({ model: 'server', id: second, values: { port: 1 }, actor: actor(1) })
        const names: Array<string> = []
        for (const field of ['created_by_request', 'updated_by_request', 'modified_by_request']) {
          for (const nth of [1, 2, 3]) {
            const filters = [{ field, lookup: 'exact', values: [request(nth)] }] as const
            const { rows } = yield* lists.list({ model: 'server', filters, search: null, order: [], page })
            names.push(`${field} ${nth}: ${rows.map(({ id }) => (id === first ? 'first' : 'second')).join(' ')}`)
          }
        }
        const filters = [{ field: 'created_by_request', lookup: 'exact', values: [request(1)] }] as const
        // Ids of other models are other rows.
        const { rows } = yield* lists.list({ model: 'snapshot', filters, search: null, order: [], page })
        return [...names, rows.length]
      }),
    )
    expect(found).toEqual([
      'created_by_request 1: first',
      'created_by_request 2: second',
      'created_by_request 3: ',
      'updated_by_request 1: second',
      'updated_by_request 2: ',
      'updated_by_request 3: ',
      // By code points of the names.
      'modified_by_request 1: second first',
      'modified_by_request 2: second',
      'modified_by_request 3: ',
      0,
    ])
  })

  test('says what is wrong with a regular expression', async () => {
    const patterns = ['[', '(', 'a{2,1}', 'a**', '^a+$', 'a{256}', '[[:nope:]]', 'ж']
    const faults = await runtime.runPromise(
      Effect.flatMap(InventoryLists, (lists) => lists.patternFaults({ patterns })),
    )
    expect([...faults]).toEqual([
      ['[', 'brackets [] not balanced'],
      ['(', 'parentheses () not balanced'],
      ['a{2,1}', 'invalid repetition count(s)'],
      ['a**', 'quantifier operand invalid'],
      ['a{256}', 'invalid repetition count(s)'],
      ['[[:nope:]]', 'invalid character class'],
    ])
  })
})
