import type { SourceFailed, SourceFrame } from '@netbox-pbs/core/ports'
import { Effect, FastCheck, Stream } from 'effect'
import { describe, expect, test } from 'vitest'
import { bytesOf, everyFrame, groupFrame } from '../../test/frames.ts'
import { LineSplitter, readFrames, serverOfCanonicalGroup, tooLong } from './read-frames.ts'

/** The frames of bytes that arrive cut at these places. */
const read = (bytes: Buffer, cuts: ReadonlyArray<number> = []) => {
  const ends = [...cuts.toSorted((a, b) => a - b), bytes.length]
  const chunks = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
  return Effect.runPromise(
    readFrames(Stream.fromIterable(chunks).pipe(Stream.rechunk(1)), 'here').pipe(
      Stream.mapEffect(parsed),
      Stream.runCollect,
      Effect.map((all) => [...all]),
    ),
  )
}

const parsed = (frame: SourceFrame): Effect.Effect<unknown, SourceFailed> =>
  frame._tag === 'group' ? Effect.map(frame.parse, (parse) => ({ ...frame, parse })) : Effect.succeed(frame)

describe('readFrames', () => {
  test('any cutting of the bytes gives the same frames', async () => {
    const bytes = bytesOf([groupFrame('99'), ...everyFrame])
    const whole = await read(bytes)
    expect(whole).toHaveLength(everyFrame.length + 1)
    await FastCheck.assert(
      FastCheck.asyncProperty(FastCheck.array(FastCheck.nat(bytes.length), { maxLength: 40 }), async (cuts) => {
        expect(await read(bytes, cuts)).toEqual(whole)
      }),
      { numRuns: 200 },
    )
  })

  test('every single cut gives the same frames', async () => {
    const bytes = bytesOf([groupFrame('100'), ...everyFrame.slice(-2)])
    const whole = await read(bytes)
    expect(whole).toHaveLength(3)
    for (let cut = 0; cut <= bytes.length; cut += 1) expect(await read(bytes, [cut])).toEqual(whole)
  })

  test.each([
    ['brackets', '['.repeat(2_000_000), 'nested deeper than 64 levels'],
    ['empty objects', `{"frame":"end","items":[${'{},'.repeat(700_000)}{}]}`, 'more lists and objects'],
    ['empty lines', '\n'.repeat(1001), 'the 1001th that is empty'],
  ])('a flood of %s is refused before it is parsed', async (_, text, why) => {
    await expect(read(Buffer.from(`${text}\n`))).rejects.toThrow(why)
  })
})

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

const group = (server: string) => `{"frame":"group","server":${server},"datastore_name":"tank","snapshots":[]}`

describe('serverOfCanonicalGroup', () => {
  test.each([
    ['a plain name', group('"pbs-a"'), 'pbs-a'],
    ['an empty name', group('""'), ''],
    ['a quote', group('"a\\"b"'), 'a"b'],
    ['a backslash at the end', group('"a\\\\"'), 'a\\'],
    ['an escape by number', group('"\\u00e4"'), 'ä'],
    ['bytes beyond ASCII', group('"ä"'), 'ä'],
    ['a name that ends the line', '{"frame":"group","server":"pbs-a]}', null],
    ['an escape that is none', group('"\\x"'), null],
    ['no text', group('1'), null],
    ['another frame', '{"frame":"job","server":"pbs-a","datastore_name":"tank","snapshots":[]}', null],
    ['another order', '{"server":"pbs-a","frame":"group","datastore_name":"tank","snapshots":[]}', null],
    ['white space', '{"frame": "group","server":"pbs-a","datastore_name":"tank","snapshots":[]}', null],
    ['another key next', '{"frame":"group","server":"pbs-a","namespace":"","snapshots":[]}', null],
    ['a line that is not whole', group('"pbs-a"').slice(0, -1), null],
    ['nothing', '', null],
  ])('%s', (_, line, server) => {
    expect(serverOfCanonicalGroup(Buffer.from(line))).toBe(server)
  })
})
