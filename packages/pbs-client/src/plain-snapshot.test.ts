import { FastCheck } from 'effect'
import { describe, expect, test } from 'vitest'
import { PbsSnapshot } from './content-schemas.ts'
import { decodeItem, hasPrintableTexts, printableText } from './decode-item.ts'
import { plainSnapshot } from './plain-snapshot.ts'

const text = FastCheck.string().map(printableText)
const size = FastCheck.oneof(FastCheck.maxSafeNat(), FastCheck.constant(null))
const file = FastCheck.record(
  { filename: text, size, 'crypt-mode': FastCheck.oneof(text, FastCheck.constant(null)) },
  { requiredKeys: ['filename'] },
)
const optionalText = FastCheck.oneof(text, FastCheck.constant(null))
/** Rows as PBS writes them. */
const plainRow = FastCheck.record(
  {
    'backup-type': text,
    'backup-id': text,
    'backup-time': FastCheck.maxSafeInteger(),
    files: FastCheck.oneof(FastCheck.array(file, { maxLength: 4 }), FastCheck.constant(null)),
    size,
    owner: optionalText,
    comment: optionalText,
    protected: FastCheck.oneof(FastCheck.boolean(), FastCheck.constant(null)),
    verification: FastCheck.oneof(FastCheck.record({ upid: text, state: text }), FastCheck.constant(null)),
    fingerprint: optionalText,
  },
  { requiredKeys: ['backup-type', 'backup-id', 'backup-time'] },
)

/** Anything that JSON holds, numbers beyond 2^53-1 included. */
const odd = FastCheck.oneof(
  FastCheck.jsonValue(),
  FastCheck.constantFrom<unknown>(2 ** 53, -(2 ** 53), 1.5, -1, '', true, [], {}, [null], [{ filename: 1 }]),
)
/** A row with an odd value in one place, or a field that PBS has not had so far. */
const oddRow = FastCheck.tuple(plainRow, odd, FastCheck.nat(11)).map(([row, value, place]) => {
  const copy = structuredClone<Record<string, unknown>>(row)
  const files = copy['files']
  const [first] = Array.isArray(files) ? files : []
  if (place === 0 && first !== undefined) first['later'] = value
  else if (place === 1 && first !== undefined) first['size'] = value
  else if (place === 2) copy['verification'] = { upid: '', state: '', later: value }
  else if (place === 3) copy['later'] = value
  else copy[Object.keys(copy)[place % Object.keys(copy).length] ?? ''] = value
  return copy
})

/** As they come out of the text of an answer. */
const parsed = (row: unknown): unknown => JSON.parse(JSON.stringify(row))

const decoded = (row: unknown): unknown => {
  try {
    return decodeItem(PbsSnapshot, parsed(row))
  } catch {
    return 'unreadable'
  }
}

describe('a plain snapshot', () => {
  test('is every row as PBS writes it, and what its schema makes of it', () => {
    FastCheck.assert(
      FastCheck.property(plainRow, (row) => {
        expect(plainSnapshot(parsed(row))).toStrictEqual(decoded(row))
      }),
      { numRuns: 1000 },
    )
  })

  test('is no other row unless the schema makes the same of it', () => {
    FastCheck.assert(
      FastCheck.property(oddRow, (row) => {
        const plain = plainSnapshot(parsed(row))
        if (plain !== null) expect(plain).toStrictEqual(decoded(row))
      }),
      { numRuns: 2000 },
    )
  })

  test.each<[string, unknown]>([
    ['null', null],
    ['a text', 'vm/100'],
    ['a list', ['vm', '100', 1]],
    ['no type', { 'backup-id': '100', 'backup-time': 1 }],
    ['a time with a fraction', { 'backup-type': 'vm', 'backup-id': '100', 'backup-time': 1.5 }],
    ['a size below 0', { 'backup-type': 'vm', 'backup-id': '100', 'backup-time': 1, size: -1 }],
    ['a size beyond 2^53-1', { 'backup-type': 'vm', 'backup-id': '100', 'backup-time': 1, size: 2 ** 53 }],
    ['an unknown field', { 'backup-type': 'vm', 'backup-id': '100', 'backup-time': 1, later: 2 ** 53 }],
    ['a file without a name', { 'backup-type': 'vm', 'backup-id': '100', 'backup-time': 1, files: [{}] }],
    ['half a verification', { 'backup-type': 'vm', 'backup-id': '100', 'backup-time': 1, verification: { upid: '' } }],
  ])('is not %s', (_, row) => {
    expect(plainSnapshot(row)).toBeNull()
  })
})

describe('texts are known to be printable', () => {
  test.each([
    ['plain', true],
    ['tank\\x3av', true],
    ['"quoted", a\ttab\nand a line', true],
    ['café 日本語 😀', true],
    ['a\0', false],
    ['a\u001b[2J', false],
    ['a\b', false],
    ['a\f', false],
    ['a\r', false],
    ['a\u007f', false],
    ['a\u0080', false],
    ['a\u009f', false],
    ['half a pair \ud800', false],
  ])('%j: %s', (sample, expected) => {
    expect(hasPrintableTexts(Buffer.from(JSON.stringify({ comment: sample })))).toBe(expected)
  })

  test('only where each of them is', () => {
    const texts = FastCheck.array(FastCheck.oneof(FastCheck.string({ unit: 'binary' }), FastCheck.string16bits()))
    FastCheck.assert(
      FastCheck.property(texts, (list) => {
        const known = hasPrintableTexts(Buffer.from(JSON.stringify(list)))
        if (known) expect(list.map(printableText)).toEqual(list)
      }),
      { numRuns: 1000 },
    )
  })
})
