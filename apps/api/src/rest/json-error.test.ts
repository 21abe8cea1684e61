import { expect, test } from 'vitest'
import { jsonError } from './json-error.ts'

test.each([
  ['', 'Expecting value: line 1 column 1 (char 0)'],
  ['{"name": ', 'Expecting value: line 1 column 10 (char 9)'],
  ['{\n "a": 1,\n}', 'Expecting property name enclosed in double quotes: line 3 column 1 (char 11)'],
  ['{"a" 1}', "Expecting ':' delimiter: line 1 column 6 (char 5)"],
  ['{"a": 1 "b": 2}', "Expecting ',' delimiter: line 1 column 9 (char 8)"],
  ['[1 2]', "Expecting ',' delimiter: line 1 column 4 (char 3)"],
  ['[1,]', 'Expecting value: line 1 column 4 (char 3)'],
  ['{} x', 'Extra data: line 1 column 4 (char 3)'],
  ['"ab', 'Unterminated string starting at: line 1 column 1 (char 0)'],
  ['"a\tb"', 'Invalid control character at: line 1 column 3 (char 2)'],
  ['"\\x"', 'Invalid \\escape: line 1 column 2 (char 1)'],
  ['"\\u12"', 'Invalid \\uXXXX escape: line 1 column 3 (char 2)'],
  ['01', 'Extra data: line 1 column 2 (char 1)'],
  ['\u00a01', 'Expecting value: line 1 column 1 (char 0)'],
  ['["😀" 1]', "Expecting ',' delimiter: line 1 column 6 (char 5)"],
  ['{"port":NaN}', "Out of range float values are not JSON compliant: 'NaN'"],
  ['[-Infinity]', "Out of range float values are not JSON compliant: '-Infinity'"],
])('%j is refused as Python does', (text, message) => {
  expect(jsonError(text)).toBe(message)
  expect(() => JSON.parse(text)).toThrow()
})

test.each(['{}', ' [ ] ', '{"a":[1,-0.5e3,true,false,null,"\\u00e4\\n\\\\"]}', '"\ud83d\ude00"'])(
  '%j is JSON',
  (text) => {
    expect(jsonError(text)).toBeNull()
  },
)
