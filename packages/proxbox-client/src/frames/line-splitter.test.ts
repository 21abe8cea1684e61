import { describe, expect, test } from 'vitest'
import { LineSplitter, tooLong } from './line-splitter.ts'

const cut = (max: number, ...chunks: ReadonlyArray<string>) => {
  const splitter = new LineSplitter(max)
  return chunks.map((chunk) =>
    [...splitter.push(Buffer.from(chunk))].map((line) => (line === tooLong ? 'too long' : line.toString())),
  )
}

describe('LineSplitter', () => {
  test.each([
    ['several lines in one chunk', 10, ['a\nbb\nc'], [['a', 'bb']]],
    ['one line over several chunks', 10, ['ab', 'cd', 'e\n'], [[], [], ['abcde']]],
    ['a newline of its own', 10, ['ab', '\n', 'c\n'], [[], ['ab'], ['c']]],
    ['empty lines', 10, ['\n\na\n'], [['', '', 'a']]],
    ['a line as long as allowed', 3, ['ab', 'c\n'], [[], ['abc']]],
    ['a line one byte too long', 3, ['ab', 'cd\n'], [[], ['too long']]],
    ['a line too long before it ends', 3, ['ab', 'cd'], [[], ['too long']]],
  ])('%s', (_, max, chunks, lines) => {
    expect(cut(max, ...chunks)).toEqual(lines)
  })
})
