import { Effect, Stream } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isReadable, type PbsClient, type PbsError, UnreadableRow } from '../src/index.ts'
import { type Harness, json, startHarness } from './client-harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await startHarness()
})
afterAll(() => harness.server.close())

const odd = 'a\0b\u001b[2J\ud800\u009bc\n😀'
const shown = 'ab[2J\ufffdc\n😀'

describe('every text is printable and storable, wherever it stands', () => {
  test('in a version and a time zone', async () => {
    harness.answer(json({ version: odd, release: odd, repoid: odd, timezone: odd, time: 1 }))
    expect(await harness.succeeds((client) => client.version())).toMatchObject({ version: shown, release: shown })
    expect(await harness.succeeds((client) => client.time())).toMatchObject({ timezone: shown })
  })

  test('in the facts of rows, however deep', async () => {
    const row = { 'backup-type': 'vm', 'backup-id': '1', 'backup-time': 1 }
    const files = [{ filename: odd }]
    harness.answer(json([{ ...row, owner: odd, comment: odd, files, verification: { upid: odd, state: odd } }]))
    const rows = await harness.succeeds((client) => Stream.runCollect(client.snapshots({ store: 'tank', ns: '' })))
    expect([...rows]).toMatchObject([
      {
        ...row,
        owner: shown,
        comment: shown,
        files: [{ filename: shown }],
        verification: { upid: shown, state: shown },
      },
    ])
  })

  test('in the text of an error', async () => {
    harness.answer((_, response) => response.writeHead(400).end('no\u001b[2J such\nthing\0'))
    expect((await harness.fails((client) => client.datastores())).detail).toBe('no [2J such thing')
  })
})

type Read = (client: PbsClient) => Effect.Effect<Iterable<unknown>, PbsError>

describe('a row whose name would become another one is left out, and the others stay', () => {
  const group = { 'backup-type': 'vm', 'backup-id': '1' }
  const rows: ReadonlyArray<readonly [string, Read, object, string]> = [
    ['a namespace', (client) => Stream.runCollect(client.namespaces('tank')), { ns: 'x' }, 'ns'],
    ['a datastore', (client) => client.datastores(), { store: 'x' }, 'store'],
    ['a job', (client) => client.verifyJobs(), { id: 'x', store: 'tank' }, 'id'],
    ['a group', (client) => Stream.runCollect(client.groups('tank', '')), group, 'backup-id'],
    ['a task', (client) => Stream.runCollect(client.tasks({})), { upid: 'x', starttime: 1, worker_type: 'y' }, 'upid'],
  ]
  test.each(rows)('%s', async (_, read, row, field) => {
    for (const name of ['a\0', '\ud800', 'a\u001b[2J']) {
      harness.answer(json([row, { ...row, [field]: name }]))
      const [first, second] = [...(await harness.succeeds(read))]
      expect([isReadable(first), second instanceof UnreadableRow && second.field]).toEqual([true, field])
    }
  })
})

test('a datastore or namespace named so can be asked for: no such thing, and nothing throws', async () => {
  harness.answer((_, response) => response.writeHead(400).end("no such datastore '?'"))
  const error = await harness.fails((client) =>
    Effect.suspend(() => Stream.runCollect(client.groups('\ud800', '\udc00'))),
  )
  expect(error.reason).toBe('not_found')
})
