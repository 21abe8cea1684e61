import { FastCheck } from 'effect'
import { describe, expect, test } from 'vitest'
import { ItemSplitter, MalformedList } from './item-splitter.ts'

const split = (text: string, chunkBytes: number, limits = {}): ReadonlyArray<unknown> => {
  const splitter = new ItemSplitter(limits)
  const bytes = Buffer.from(text)
  const items: Array<unknown> = []
  for (let at = 0; at < bytes.length; at += chunkBytes)
    items.push(...splitter.push(bytes.subarray(at, at + chunkBytes)))
  splitter.finish()
  return items
}

const nasty = [
  { a: 'quote " brace } bracket ] backslash \\', b: [[{ c: [] }], {}] },
  { data: [{ data: 'inner' }], é: '日本語 😀 \u0000 \\"' },
  {},
  { n: -1.5e3, t: true, z: null, s: ',[{' },
]

/** The same, with `takePlain` for what it takes of each chunk. */
const splitPlain = (text: string, chunkBytes: number): ReadonlyArray<unknown> => {
  const splitter = new ItemSplitter()
  const bytes = Buffer.from(text)
  const items: Array<unknown> = []
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const chunk = bytes.subarray(at, at + chunkBytes)
    const taken = splitter.takePlain(chunk, (item) => ({ item }))
    items.push(...(taken?.rows ?? []).map(({ item }) => item), ...splitter.push(taken?.rest ?? chunk))
  }
  splitter.finish()
  return items
}

const outcome = (read: () => ReadonlyArray<unknown>): unknown => {
  try {
    return read()
  } catch (error) {
    return error
  }
}

describe('a list arrives in chunks of any size', () => {
  const bodies: ReadonlyArray<readonly [string, string, ReadonlyArray<unknown>]> = [
    ['compact', JSON.stringify({ data: nasty }), nasty],
    ['indented', JSON.stringify({ data: nasty }, null, 2), nasty],
    ['siblings first', JSON.stringify({ digest: 'data', x: { data: [1] }, total: 4, data: nasty }), nasty],
    ['siblings after', JSON.stringify({ data: nasty, total: 4, more: [{ data: [] }, 'a"}'] }), nasty],
    ['empty', '{"data":[]}', []],
    ['empty with spaces', ' { "data" : [ \n ] } \n', []],
    ['one item', '{"data":[{"a":1}]}', [{ a: 1 }]],
    [
      'items that are no objects',
      '{"data":[null,{"a":1},-2.5e3 ,"a,]\\"[",[[1],"]"], true]}',
      [null, { a: 1 }, -2500, 'a,]"[', [[1], ']'], true],
    ],
    ['one number', '{"data":[ 5 ]}', [5]],
  ]
  test.each(bodies)('%s', (_name, body, expected) => {
    for (const size of [1, 2, 3, 5, 7, 16, 64, 4096]) expect(split(body, size)).toEqual(expected)
  })
})

describe('what is not a whole list is refused', () => {
  const rejected: ReadonlyArray<readonly [string, string, string]> = [
    ['nothing', '', 'not JSON'],
    ['text', 'permission check failed', 'not JSON'],
    ['an html page', '<html data="[{}]">', 'not JSON'],
    ['data null', '{"data":null}', 'no list'],
    ['data missing', '{"rows":[{"a":1}]}', 'no list'],
    ['data is an object', '{"data":{"data":[{}]}}', 'no list'],
    ['a bare list', '[{"data":1}]', 'no list'],
    ['half a word as item', '{"data":[{"a":1},nul]}', 'items up to 2 of the list are not JSON'],
    ['numbers without comma', '{"data":[1 2]}', 'no comma after item 1'],
    ['a word that runs into an object', '{"data":[null{"a":1}]}', 'not JSON'],
    ['cut inside a word', '{"data":[{"a":1},nu', 'ended inside item 2'],
    ['no comma', '{"data":[{"a":1}{"a":2}]}', 'no comma after item 1'],
    ['two commas', '{"data":[{"a":1},,{"a":2}]}', 'item 2'],
    ['a trailing comma', '{"data":[{"a":1},]}', 'item 2'],
    ['a leading comma', '{"data":[,{"a":1}]}', 'item 1'],
    ['two lists', '{"data":[{"a":1}],"data":[{"a":2}]}', '"data" twice'],
    ['a list and null', '{"data":[{"a":1}],"data":null}', '"data" twice'],
    ['null and a list', '{"data":null,"data":[{"a":1}]}', '"data" twice'],
    ['brackets without end', `{"data":[${'['.repeat(100)}`, 'item 1 of the list is nested deeper than 32 levels'],
    ['objects without end', `{"data":[{"a":1},${'{"a":'.repeat(100)}`, 'item 2 of the list is nested deeper'],
    ['cut inside an item', '{"data":[{"a":1},{"a":', 'ended inside item 2'],
    ['cut after an item', '{"data":[{"a":1}', 'ended inside item 2'],
    ['cut after the list', '{"data":[{"a":1}]', 'not JSON'],
    ['text after the end', '{"data":[{"a":1}]} x', 'not JSON'],
    ['a broken item', '{"data":[{"a":tru}]}', 'not JSON'],
    ['mismatched brackets', '{"data":[{"a":[}]]}', 'not JSON'],
  ]
  test.each(rejected)('%s', (_name, body, message) => {
    for (const size of [1, 3, 4096]) {
      expect(() => split(body, size)).toThrow(MalformedList)
      expect(() => split(body, size)).toThrow(message)
    }
  })

  test('an item beyond the limit', () => {
    const body = JSON.stringify({ data: [{ a: 'x'.repeat(5_000) }] })
    expect(() => split(body, 100, { maxItemBytes: 1_000 })).toThrow('item 1 of the list is larger than 1000 bytes')
  })

  test('an envelope beyond the limit', () => {
    const body = JSON.stringify({ digest: 'x'.repeat(5_000), data: [] })
    expect(() => split(body, 100, { maxEnvelopeBytes: 1_000 })).toThrow('more than 1000 bytes outside its list')
  })
})

describe('plain items that are taken many at a time', () => {
  const text = FastCheck.oneof(FastCheck.string(), FastCheck.constantFrom('},{"a":', '"},{"a":', '\\"},{"a":1', '},{'))
  const item = FastCheck.oneof(
    FastCheck.record({ a: text, b: FastCheck.array(FastCheck.record({ c: text }), { maxLength: 3 }) }),
    FastCheck.record({ a: FastCheck.array(FastCheck.record({ a: text }), { maxLength: 3 }) }),
    FastCheck.jsonValue(),
  )
  const list = FastCheck.array(item, { maxLength: 12 })
  const chunkBytes = FastCheck.integer({ min: 1, max: 200 })

  test('are the same as those of a look at every byte', () => {
    FastCheck.assert(
      FastCheck.property(list, FastCheck.array(item, { maxLength: 2 }), chunkBytes, (data, after, size) => {
        const body = JSON.stringify({ data, after })
        expect(splitPlain(body, size)).toEqual(split(body, size))
      }),
      { numRuns: 500 },
    )
  })

  test('so is what is wrong with a body', () => {
    const change = FastCheck.record({
      at: FastCheck.nat(400),
      by: FastCheck.constantFrom('', ',', '}', '{', ']', '"', ',,', '},{"a":'),
    })
    FastCheck.assert(
      FastCheck.property(list, change, chunkBytes, (data, { at, by }, size) => {
        const whole = JSON.stringify({ data })
        const body = `${whole.slice(0, at)}${by}${whole.slice(at + 1)}`
        const [plain, careful] = [outcome(() => splitPlain(body, size)), outcome(() => split(body, size))]
        if (careful instanceof MalformedList) expect(plain).toBeInstanceOf(MalformedList)
        else expect(plain).toEqual(careful)
      }),
      { numRuns: 1000 },
    )
  })

  test('end with the first that is not plain: then nothing is taken', () => {
    const splitter = new ItemSplitter()
    splitter.push(Buffer.from('{"data":['))
    const chunk = Buffer.from('{"a":1},{"a":2},{"a":3}')
    expect(splitter.takePlain(chunk, (item) => (JSON.stringify(item) === '{"a":2}' ? null : item))).toBeNull()
    expect(splitter.push(chunk)).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }])
  })

  test('are taken up to the last one, which need not be whole', () => {
    const splitter = new ItemSplitter()
    splitter.push(Buffer.from('{"data":['))
    const taken = splitter.takePlain(Buffer.from('{"a":1},{"a":2},{"a":'), (item) => item)
    expect([taken?.rows, taken?.rest.toString()]).toEqual([[{ a: 1 }, { a: 2 }], '{"a":'])
  })
})
