import { describe, expect, test } from 'vitest'
import { serverOfCanonicalGroup } from './read-line.ts'

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
