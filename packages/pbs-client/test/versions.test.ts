import { Effect, Stream } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isReadable } from '../src/index.ts'
import { type Harness, json, type Respond, routes, startHarness, status } from './client-harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await startHarness()
})
afterAll(() => harness.server.close())

const paths = () => harness.requests().map((request) => (request.url ?? '').replace('/api2/json', ''))
const rejectsAll = status(
  400,
  "parameter verification failed - 'sync-direction': schema does not allow additional properties.",
)
const job = { id: 's-1', store: 'tank', 'remote-store': 'vault', 'sync-direction': 'push' }

describe('sync jobs', () => {
  const rows: ReadonlyArray<readonly [string, string, Respond, ReadonlyArray<string>]> = [
    ['4.2', '3', json([job]), ['/version', '/admin/sync?sync-direction=all']],
    ['3.3', '0', rejectsAll, ['/version', '/admin/sync?sync-direction=all', '/admin/sync']],
    ['3.2', '7', rejectsAll, ['/version', '/admin/sync']],
  ]
  test.each(rows)('of PBS %s.%s', async (version, release, onAll, expected) => {
    harness.answer(
      routes({
        '/version': json({ version, release, repoid: 'x' }),
        '/admin/sync?sync-direction=all': onAll,
        '/admin/sync': json([job]),
      }),
    )
    const [found] = (await harness.succeeds((client) => client.syncJobs())).filter(isReadable)
    expect([found?.id, found?.['sync-direction'], found?.remote]).toEqual(['s-1', 'push', null])
    expect(paths()).toEqual(expected)
  })

  test('ask for the version once', async () => {
    harness.answer(
      routes({ '/version': json({ version: '4.2', release: '1' }), '/admin/sync?sync-direction=all': json([]) }),
    )
    await harness.succeeds((client) => Effect.all([client.syncJobs(), client.syncJobs()]))
    expect(paths().filter((path) => path === '/version').length).toBe(1)
  })
})

describe('garbage collection', () => {
  test('of a server that lists it', async () => {
    harness.answer(
      routes({
        '/admin/gc': json([{ store: 'tank', upid: null, 'disk-bytes': 5, schedule: '02:30', 'last-run-state': 'OK' }]),
      }),
    )
    const [row] = (await harness.succeeds((client) => client.gcStatuses())).filter(isReadable)
    expect([row?.store, row?.['disk-bytes'], row?.['last-run-state']]).toEqual(['tank', 5, 'OK'])
  })

  test('of one that does not (up to 3.1): store by store, without those that cannot be opened', async () => {
    harness.answer(
      routes({
        '/version': json({ version: '3.1', release: '5' }),
        '/config/datastore': json([{ name: 'tank', 'gc-schedule': 'daily' }, { name: 'vault' }, { name: 'off' }]),
        '/admin/datastore/tank/gc': json({ upid: 'U', 'disk-bytes': 7 }),
        '/admin/datastore/vault/gc': json({ upid: null }),
        '/admin/datastore/off/gc': status(400, "datastore 'off' is in offline maintenance mode: disk swap"),
      }),
    )
    const rows = (await harness.succeeds((client) => client.gcStatuses())).filter(isReadable)
    expect(rows.map((row) => [row.store, row.schedule, row.upid, row['disk-bytes'], row['last-run-state']])).toEqual([
      // Before 3.2 the UPID is that of the last success and all there is: it does not say that a run is under way.
      ['tank', 'daily', 'U', 7, 'OK'],
      ['vault', null, null, null, null],
    ])
  })

  test('of a newer one behind a proxy that answers 404: what tells no state is under way', async () => {
    harness.answer(
      routes({
        '/version': json({ version: '3.2', release: '7' }),
        '/config/datastore': json([{ name: 'tank' }]),
        '/admin/datastore/tank/gc': json({ upid: 'U' }),
      }),
    )
    const [row] = (await harness.succeeds((client) => client.gcStatuses())).filter(isReadable)
    expect([row?.upid, row?.['last-run-state']]).toEqual(['U', null])
  })

  test('a refusal of one store fails the list instead of shortening it', async () => {
    harness.answer(
      routes({
        '/version': json({ version: '3.1', release: '5' }),
        '/config/datastore': json([{ name: 'tank' }]),
        '/admin/datastore/tank/gc': status(403, 'permission check failed'),
      }),
    )
    expect((await harness.fails((client) => client.gcStatuses())).reason).toBe('forbidden')
  })
})

describe('endpoints that came later', () => {
  test('before 2.2 the root namespace is all there is, before 2.3 there are no prune jobs', async () => {
    harness.answer(routes({ '/version': json({ version: '2.1', release: '10' }) }))
    const spaces = await harness.succeeds((client) => Stream.runCollect(client.namespaces('tank')))
    expect([...spaces].filter(isReadable).map((space) => space.ns)).toEqual([''])
    expect(await harness.succeeds((client) => client.pruneJobs())).toEqual([])
  })

  test('a newer release that answers 404 (a proxy, say) has failed: that is no empty list', async () => {
    harness.answer(routes({ '/version': json({ version: '4.2', release: '3' }) }))
    const errors = [
      await harness.fails((client) => Stream.runCollect(client.namespaces('tank'))),
      await harness.fails((client) => client.pruneJobs()),
    ]
    expect(errors.map(({ reason, status: code }) => [reason, code])).toEqual([
      ['unsupported', 404],
      ['unsupported', 404],
    ])
  })

  test('another missing endpoint is unsupported', async () => {
    harness.answer(routes({}))
    const error = await harness.fails((client) => client.datastores())
    expect([error.reason, error.status]).toEqual(['unsupported', 404])
  })
})

describe('answers that are no PBS', () => {
  const rows: ReadonlyArray<readonly [string, Respond, string]> = [
    ['html', (_, response) => response.end('<html></html>'), 'not JSON'],
    ['no data', (_, response) => response.end('{"rows":[]}'), 'no list in "data"'],
    ['null for a list', json(null), 'no list'],
    ['an object for a list', json({}), 'no list'],
    [
      'a redirect',
      (_, response) => response.writeHead(301, { location: 'https://x.example/' }).end(),
      'redirects are not followed',
    ],
    [
      'nested beyond the stack',
      (_, response) => response.end(`{"data":[${'['.repeat(500_000)}${']'.repeat(500_000)}]}`),
      'nested deeper than 32 levels',
    ],
    [
      'too large',
      (_, response) => response.end(`{"data":"${'x'.repeat(65 * 1024 * 1024)}"}`),
      'more than 65536 bytes outside its list',
    ],
  ]
  test.each(rows)('%s', async (_name, respond, detail) => {
    harness.answer(respond)
    const error = await harness.fails((client) => client.datastores())
    expect([error.reason, harness.requests().length]).toEqual(['protocol', 1])
    expect(error.detail).toContain(detail)
  })

  test('a wrong token is asked once: PBS makes every failure wait', async () => {
    harness.answer(status(401, 'authentication failed'))
    const error = await harness.fails((client) => client.permissions('/datastore'))
    expect([error.reason, paths()]).toEqual(['unauthorized', ['/access/permissions?path=%2Fdatastore']])
  })

  test('the text of an error is bounded', async () => {
    harness.answer(status(400, 'x'.repeat(1_000_000)))
    expect((await harness.fails((client) => client.datastores())).detail.length).toBe(300)
  })
})

test('sizes of datastores: -1 of old versions and a missing one are null, the impossible date is named', async () => {
  harness.answer((_, response) =>
    response.end(
      '{"data":[{"store":"a","total":-1,"used":3,"estimated-full-date":18446744073709551615},{"store":"b"}]}',
    ),
  )
  const rows = (await harness.succeeds((client) => client.datastoreUsage())).filter(isReadable)
  expect(
    rows.map((row) => [row.store, row.total, row.used, row.avail, row['estimated-full-date'], row.unsafeIntegers]),
  ).toEqual([
    ['a', null, 3, null, null, ['estimated-full-date']],
    ['b', null, null, null, null, []],
  ])
})

test('permissions are a map of paths', async () => {
  harness.answer(json({ '/': { 'Sys.Audit': true }, '/datastore/tank': { 'Datastore.Audit': false } }))
  expect(await harness.succeeds((client) => client.permissions())).toEqual({
    '/': { 'Sys.Audit': true },
    '/datastore/tank': { 'Datastore.Audit': false },
  })
})

test('the ACL is a list of entries, the root is /', async () => {
  const entry = { ugid: 'a@pbs!t', ugid_type: 'user', roleid: 'NoAccess' }
  harness.answer(
    json([
      { ...entry, path: '', propagate: 1 },
      { ...entry, path: '/datastore/tank' },
    ]),
  )
  expect(await harness.succeeds((client) => client.acl())).toEqual([
    { ...entry, path: '/', propagate: true, unsafeIntegers: [] },
    { ...entry, path: '/datastore/tank', propagate: null, unsafeIntegers: [] },
  ])
})
