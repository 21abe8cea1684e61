import { Chunk, Stream } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isReadable } from '../src/index.ts'
import { type Harness, json, secret, startHarness, status } from './client-harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await startHarness()
})
afterAll(() => harness.server.close())

describe('a request', () => {
  test('carries the token, asks for plain bytes and sends no content type', async () => {
    harness.answer(json({ version: '4.2', release: '3', repoid: 'abc', later: 1 }))
    const version = await harness.succeeds((client) => client.version())
    expect(version).toEqual({ version: '4.2', release: '3', repoid: 'abc', unsafeIntegers: [] })
    const [seen] = harness.requests()
    expect(seen?.method).toBe('GET')
    expect(seen?.url).toBe('/api2/json/version')
    expect(seen?.headers.authorization).toBe(`PBSAPIToken=inventory@pbs!reader:${secret}`)
    expect(seen?.headers['accept-encoding']).toBe('identity')
    expect(seen?.headers['content-type']).toBeUndefined()
  })

  test('encodes slashes of a namespace, and leaves the root namespace out', async () => {
    harness.answer(json([]))
    await harness.succeeds((client) =>
      Stream.runDrain(client.snapshots({ store: 'tank', ns: 'site-a/lab', backupType: 'vm', backupId: '101' })),
    )
    await harness.succeeds((client) => Stream.runDrain(client.groups('tank', '')))
    expect(harness.requests().map((request) => request.url)).toEqual([
      '/api2/json/admin/datastore/tank/snapshots?ns=site-a%2Flab&backup-type=vm&backup-id=101',
      '/api2/json/admin/datastore/tank/groups',
    ])
  })
})

describe('snapshots', () => {
  test('come with nulls for what is absent, and name integers that would have been rounded', async () => {
    harness.answer((_, response) =>
      response.end(
        '{"data":[{"backup-type":"vm","backup-id":"101","backup-time":1780088404,"files":[{"filename":"a.fidx","crypt-mode":"encrypt","size":9007199254740993}],"size":5,"protected":true,"verification":{"upid":"U","state":"ok"}},{"backup-type":"tape","backup-id":"x","backup-time":2,"owner":null}]}',
      ),
    )
    const rows = await harness.succeeds((client) => Stream.runCollect(client.snapshots({ store: 'tank', ns: '' })))
    const absent = { comment: null, fingerprint: null, owner: null }
    expect(Chunk.toReadonlyArray(rows)).toEqual([
      {
        ...absent,
        'backup-type': 'vm',
        'backup-id': '101',
        'backup-time': 1780088404,
        files: [{ filename: 'a.fidx', size: null, 'crypt-mode': 'encrypt' }],
        size: 5,
        protected: true,
        verification: { upid: 'U', state: 'ok' },
        unsafeIntegers: ['files.0.size'],
      },
      {
        ...absent,
        'backup-type': 'tape',
        'backup-id': 'x',
        'backup-time': 2,
        files: [],
        size: null,
        protected: false,
        verification: null,
        unsafeIntegers: [],
      },
    ])
  })

  test('that cannot be understood cost no other: they stand in their place with number, field and reason', async () => {
    const row = (time: unknown, more: object = {}) => ({
      'backup-type': 'vm',
      'backup-id': '1',
      'backup-time': time,
      ...more,
    })
    harness.answer(json([row(1), { 'backup-type': 'vm', 'backup-id': '1' }, null, row('2'), 7, row(3.5), row(4)]))
    const rows = [
      ...(await harness.succeeds((client) => Stream.runCollect(client.snapshots({ store: 'tank', ns: '' })))),
    ]
    expect(rows.map((one) => (isReadable(one) ? one['backup-time'] : [one.row, one.field]))).toEqual([
      1,
      [2, 'backup-time'],
      [3, ''],
      [4, 'backup-time'],
      [5, ''],
      [6, 'backup-time'],
      4,
    ])
    expect(rows[3]).toMatchObject({ reason: 'Invalid input: expected number, received string', value: row(null) })
  })

  const files = [{ filename: 'a.fidx', size: 5, 'crypt-mode': 'none' }]
  test.each<[string, object, object, ReadonlyArray<string>]>([
    ['half a verification', { verification: { state: 'ok' } }, { verification: null }, ['verification.upid']],
    ['a negative size', { size: -1 }, { size: null }, ['size']],
    ['a size with a fraction', { size: 10.5 }, { size: null }, ['size']],
    ['texts that are none', { owner: 5, comment: [] }, { owner: null, comment: null }, ['owner', 'comment']],
    ['a flag that is none', { protected: 'yes' }, { protected: false }, ['protected']],
    ['a file without a name', { files: [...files, { size: 5 }] }, { files: [] }, ['files.1.filename']],
    [
      'a file of odd size',
      { files: [{ ...files[0], size: 'big' }] },
      { files: [{ ...files[0], size: null }] },
      ['files.0.size'],
    ],
  ])('with %s keep all else', async (_, odd, expected, oddFields) => {
    const whole = {
      'backup-type': 'vm',
      'backup-id': '1',
      'backup-time': 1,
      owner: 'a@pbs',
      comment: 'x',
      size: 9,
      files,
    }
    harness.answer(json([{ ...whole, ...odd }]))
    const [row] = [
      ...(await harness.succeeds((client) => Stream.runCollect(client.snapshots({ store: 'tank', ns: '' })))),
    ]
    expect(row).toMatchObject({ ...whole, ...expected, oddFields })
  })

  test('of short lists cost no other row either', async () => {
    harness.answer(json([{ store: 'a', comment: 5 }, { store: 7 }, null, { store: 'b' }]))
    const rows = await harness.succeeds((client) => client.datastores())
    expect(rows.map((one) => (isReadable(one) ? [one.store, one.oddFields] : [one.row, one.field]))).toEqual([
      ['a', ['comment']],
      [2, 'store'],
      [3, ''],
      ['b', undefined],
    ])
  })

  test('a group that vanishes during the walk is asked for once more, also with one request at a time', async () => {
    harness.answer((_, response) =>
      harness.requests().length === 1
        ? status(400, 'ENOENT: No such file or directory')(_, response)
        : json([])(_, response),
    )
    await harness.succeeds((client) => Stream.runDrain(client.snapshots({ store: 'tank', ns: '' })), { concurrency: 1 })
    expect(harness.requests().length).toBe(2)
  })

  test('a namespace that is gone is not_found after one repetition', async () => {
    harness.answer(status(400, 'ENOENT: No such file or directory'))
    const error = await harness.fails((client) => Stream.runDrain(client.snapshots({ store: 'tank', ns: 'gone' })), {
      concurrency: 1,
    })
    expect([error.reason, error.status, harness.requests().length]).toEqual(['not_found', 400, 2])
  })

  test('a list that breaks off is an error, never a shorter list', async () => {
    harness.answer((_, response) => {
      response.write('{"data":[{"backup-type":"vm","backup-id":"1","backup-time":1},', () => response.destroy())
    })
    const error = await harness.fails((client) => Stream.runDrain(client.snapshots({ store: 'tank', ns: '' })))
    expect([error.reason, harness.requests().length]).toEqual(['unreachable', 1])
  })

  test('a list that ends early with a clean end is an error too', async () => {
    harness.answer((_, response) => response.end('{"data":[{"backup-type":"vm","backup-id":"1","backup-time":1}'))
    const error = await harness.fails((client) => Stream.runDrain(client.snapshots({ store: 'tank', ns: '' })))
    expect([error.reason, error.detail]).toEqual(['protocol', 'the answer ended inside item 2 of the list'])
  })
})

describe('a silent server', () => {
  test('before the first byte is a timeout', async () => {
    harness.answer(() => {})
    const error = await harness.fails((client) => client.version(), { timeoutSeconds: 0.2 })
    expect([error.reason, error.detail, harness.requests().length]).toEqual(['timeout', 'no answer within 0.2 s', 1])
  })

  test('inside the answer is a timeout', async () => {
    harness.answer((_, response) => response.write('{"data":['))
    const error = await harness.fails((client) => Stream.runDrain(client.snapshots({ store: 'tank', ns: '' })), {
      timeoutSeconds: 0.2,
    })
    expect([error.reason, error.detail]).toEqual(['timeout', 'no byte for 0.2 s inside the answer'])
  })
})
