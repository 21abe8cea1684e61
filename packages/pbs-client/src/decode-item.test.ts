import { describe, expect, test } from 'vitest'
import { blankUnsafeIntegers } from './decode-item.ts'

describe('numbers beyond 2^53-1', () => {
  const rows: ReadonlyArray<readonly [string, unknown, ReadonlyArray<string>]> = [
    ['{"a":9007199254740991}', { a: 9007199254740991 }, []],
    ['{"a":9007199254740992}', { a: null }, ['a']],
    ['{"a":9007199254740993}', { a: null }, ['a']],
    ['{"a":-9007199254740991}', { a: -9007199254740991 }, []],
    ['{"a":-9007199254740993}', { a: null }, ['a']],
    ['{"a":18446744073709551615,"b":1}', { a: null, b: 1 }, ['a']],
    ['{"a":1e999}', { a: null }, ['a']],
    ['{"a":"18446744073709551615"}', { a: '18446744073709551615' }, []],
    ['{"a":0.1,"b":null,"c":true}', { a: 0.1, b: null, c: true }, []],
    ['{"f":[{"size":1},{"size":9007199254740993}]}', { f: [{ size: 1 }, { size: null }] }, ['f.1.size']],
  ]
  test.each(rows)('%s', (text, expected, paths) => {
    const value: unknown = JSON.parse(text)
    expect(blankUnsafeIntegers(value)).toEqual(paths)
    expect(value).toEqual(expected)
  })
})
