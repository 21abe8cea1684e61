import type { ServerResponse } from 'node:http'
import { Chunk, Effect, Stream } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PbsClient, PbsError } from '../src/index.ts'
import { type Harness, startHarness } from './client-harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await startHarness()
})
afterAll(() => harness.server.close())

const MiB = 1024 * 1024

/**
 * Answers with `head` and then with `text`, again and again as fast as it is taken, at most `most`
 * bytes; then with `tail`.
 */
const flood =
  (head: string, text: string, { most = Number.POSITIVE_INFINITY, tail = '' } = {}) =>
  (_: unknown, response: ServerResponse) => {
    const piece = Buffer.from(text.repeat(Math.max(1, Math.floor(65_536 / text.length))))
    let sent = 0
    response.on('error', () => {})
    response.write(head)
    const more = () => {
      while (!response.destroyed && sent < most) {
        sent += piece.length
        if (!response.write(piece)) return response.once('drain', more)
      }
      return response.end(tail)
    }
    more()
  }

type Read = (client: PbsClient) => Effect.Effect<unknown, PbsError>

const snapshots: Read = (client) =>
  Stream.runCollect(client.snapshots({ store: 'tank', ns: '', counted: 10 })).pipe(Effect.map(Chunk.toReadonlyArray))
const namespaces: Read = (client) => Stream.runCollect(client.namespaces('tank'))
const groups: Read = (client) => Stream.runCollect(client.groups('tank', ''))
const tasks: Read = (client) => Stream.runDrain(client.tasks({}))
const datastores: Read = (client) => client.datastores()
const jobs: Read = (client) => client.verifyJobs()
const permissions: Read = (client) => client.permissions()
const version: Read = (client) => client.version()

const snapshot = '{"backup-type":"vm","backup-id":"1","backup-time":1780000000},'

describe('a server that floods', () => {
  const sixty = { most: 60 * MiB }
  const rows: ReadonlyArray<readonly [string, Read, Parameters<typeof flood>, string]> = [
    ['snapshots without end', snapshots, ['{"data":[', snapshot], 'more than 1020 rows'],
    ['60 MB of brackets', datastores, ['{"data":[', '[', sixty], 'nested deeper than 32 levels'],
    ['60 MB of brackets, closed', datastores, ['{"data":', '['], 'nested deeper than 32 levels'],
    ['60 MB of empty objects', jobs, ['{"data":[', '{},', { ...sixty, tail: '{}]}' }], 'more than 10000 rows'],
    ['60 MB of numbers', jobs, ['{"data":[', '1,', { ...sixty, tail: '1]}' }], 'more than 10000 rows'],
    ['60 MB of namespaces', namespaces, ['{"data":[', '{"ns":"n1"},', sixty], 'more than 200000 rows'],
    ['groups without end', groups, ['{"data":[', '{"backup-type":"vm","backup-id":"1"},'], 'more than 100000 rows'],
    [
      'tasks without end',
      tasks,
      ['{"data":[', '{"upid":"x","starttime":1,"worker_type":"y"},'],
      'more than 200000 rows',
    ],
    ['white space without end', datastores, ['{"data":[', '  \n'], 'larger than 4194304 bytes'],
    ['white space before the list', datastores, ['', '  \n'], 'more than 65536 bytes outside its list'],
    ['white space in snapshots', snapshots, ['{"data":[', '  \n'], 'bytes'],
    ['a row without end', snapshots, ['{"data":[{"comment":"', 'x'], 'larger than 1048576 bytes'],
    ['a row of empty objects', snapshots, ['{"data":[{"files":[', '{},'], 'larger than 1048576 bytes'],
    ['a key without end', datastores, ['{"', 'x'], 'bytes outside its list'],
    ['permissions of brackets', permissions, ['{"data":', '[', { most: 2 * MiB }], 'nested deeper than 32 levels'],
    [
      'permissions of empty objects',
      permissions,
      ['{"data":[', '{},', { most: 2 * MiB, tail: '{}]}' }],
      'lists and objects',
    ],
    ['permissions without end', permissions, ['{"data":{"', 'x'], 'larger than 4194304 bytes'],
    ['a version without end', version, ['{"data":{"version":"', '4'], 'larger than 262144 bytes'],
  ]
  test.each(rows)('%s ends as an answer that is none', async (_, read, answer, detail) => {
    harness.answer(flood(...answer))
    const error = await harness.fails(read)
    expect([error.reason, error.detail]).toEqual(['protocol', expect.stringContaining(detail)])
  })

  test.each([
    ['a list', datastores, '{"data":[{"store":"a"}],"data":[]}'],
    ['an object', version, '{"data":{"version":"4.2"},"data":{"version":"4.1"}}'],
  ] as const)('%s that says data twice is refused', async (_, read, body) => {
    harness.answer((__, response) => response.end(body))
    expect((await harness.fails(read)).detail).toContain('"data" twice')
  })

  test('it is read in slices, so that other work goes on', async () => {
    harness.answer(flood('{"data":[', '{"ns":"n1"},', { most: 60 * MiB }))
    let longest = 0
    const begun = performance.now()
    let last = begun
    const beat = setInterval(() => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }, 1)
    await harness.fails(namespaces)
    clearInterval(beat)
    // At once it would be nearly all of the time.
    expect(longest).toBeLessThan((performance.now() - begun) / 2)
  })
})

/** Answers with `head`, and then with `text` every 100 milliseconds until the client leaves. */
const drip =
  (head: string, text: string, status = 200) =>
  (_: unknown, response: ServerResponse) => {
    response.writeHead(status).write(head)
    const timer = setInterval(() => response.write(text), 100)
    response.on('error', () => {}).once('close', () => clearInterval(timer))
  }

describe('a server that drips', () => {
  const rows: ReadonlyArray<readonly [string, Read, Parameters<typeof drip>]> = [
    ['blanks in snapshots', snapshots, ['{"data":[', ' ']],
    ['rows of snapshots', snapshots, ['{"data":[', snapshot]],
    ['blanks in tasks', tasks, ['{"data":[', ' ']],
    ['blanks in a short list', datastores, ['{"data":[', ' ']],
    ['blanks after the end', datastores, ['{"data":[]}', ' ']],
    ['blanks in an object', version, ['{"data":{', ' ']],
  ]
  test.each(rows)('%s ends as a timeout that says how little came', async (_, read, answer) => {
    harness.answer(drip(...answer))
    const error = await harness.fails(read, { timeoutSeconds: 1 })
    expect([error.reason, error.detail]).toEqual([
      'timeout',
      expect.stringMatching(/^only \d+ bytes of the answer came in \d+ s/),
    ])
  })

  test('interim responses are no beginning of an answer', async () => {
    harness.answer((_, response) => {
      const timer = setInterval(() => response.writeProcessing(), 100)
      response.on('error', () => {}).once('close', () => clearInterval(timer))
    })
    const error = await harness.fails(version, { timeoutSeconds: 1 })
    expect([error.reason, error.detail]).toEqual(['timeout', 'no answer within 1 s'])
  })

  test('the text of an error is waited for as long, and what came is told', async () => {
    harness.answer(drip('permission check failed', ' ', 403))
    const error = await harness.fails(datastores, { timeoutSeconds: 1 })
    expect([error.reason, error.detail]).toEqual(['forbidden', 'permission check failed'])
  })
})
