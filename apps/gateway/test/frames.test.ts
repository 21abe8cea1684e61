import { sizeFields } from '@netbox-pbs/core'
import { Effect, Stream } from 'effect'
import { describe, expect, test } from 'vitest'
import { datastoresScopes } from '../src/scopes/datastores.ts'
import { jobsScopes } from '../src/scopes/jobs.ts'
import { ScopeFailed } from '../src/scopes/scope-failed.ts'
import { failing, group, inTurn, snapshots } from './fake-reader.ts'
import { brief, config, framesOf, listed, store } from './frames-of.ts'

const byText = (a: object, b: object): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

describe('the snapshots of a namespace', () => {
  const root = { namespaces: [''] }

  test('are read in one call when they are few', async () => {
    const requested: Array<unknown> = []
    const frames = await listed(root, {
      groups: () => Effect.succeed([group('vm', '2', 2), group('ct', '1', 1)]),
      snapshots: (...query) => {
        requested.push(query)
        return Effect.succeed([...snapshots('vm', '2', 2), ...snapshots('ct', '1', 1)])
      },
    })
    expect(frames.map(brief)).toEqual(['scope snapshots ', 'group ct/1 1', 'group vm/2 2', 'complete 3'])
    expect(requested).toEqual([['tank', '', undefined, 3]])
  })

  test('are read in one list as they come when they are many, and only what it contradicts by itself', async () => {
    const requested: Array<unknown> = []
    const counted = [
      group('vm', '2', 2000),
      group('ct', '1', 2),
      group('vm', '3', 2),
      group('vm', '4', 0),
      group('vm', '5', 3),
    ]
    const groups = inTurn(counted, [...counted, group('vm', '6', 1)])
    const frames = await listed(root, {
      groups: () => groups,
      snapshots: (_, __, of) => {
        requested.push(of)
        return Effect.succeed(snapshots(of?.type ?? '', of?.id ?? '', of?.id === '5' ? 3 : 2))
      },
      snapshotsAsTheyCome: () =>
        Stream.make(
          // vm/3 in two pieces, vm/5 short, vm/6 new, vm/7 in no list of groups
          ...snapshots('vm', '3', 1),
          ...snapshots('vm', '2', 2000),
          ...snapshots('vm', '3', 2).slice(1),
          ...snapshots('vm', '5', 2),
          ...snapshots('vm', '7', 1),
          ...snapshots('ct', '1', 2),
          ...snapshots('vm', '6', 1),
        ),
    })
    expect(frames.map(brief)).toEqual([
      'scope snapshots ',
      'group vm/2 2000',
      'group ct/1 2',
      'warning row_unreadable',
      'group vm/4 0',
      'group vm/3 2',
      'group vm/5 3',
      'group vm/6 2',
      'complete 2009 left out 1',
    ])
    expect(frames.find((frame) => frame.frame === 'warning')).toMatchObject({
      message: expect.stringContaining('group vm/7'),
    })
    expect(requested).toEqual(['3', '5', '6'].map((id) => ({ type: 'vm', id })))
  })

  test('are the same frames, read in one list or one by one', async () => {
    const groups = () => Effect.succeed([group('vm', '2', 2000), group('ct', '1', 2)])
    const alone = (_: string, __: string, of?: { readonly id: string }) =>
      Effect.succeed(of?.id === '2' ? snapshots('vm', '2', 2000) : snapshots('ct', '1', 2))
    const refused = new ScopeFailed({
      code: 'protocol',
      message: 'one is broken',
      retryable: false,
      rejected: 'unreadable',
    })
    const together = await listed(root, {
      groups,
      snapshotsAsTheyCome: () => Stream.make(...snapshots('vm', '2', 2000).toReversed(), ...snapshots('ct', '1', 2)),
    })
    for (const failure of [refused, new ScopeFailed({ code: 'timeout', message: 'slow', retryable: true })]) {
      const frames = await listed(root, { groups, snapshots: alone, snapshotsAsTheyCome: () => Stream.fail(failure) })
      expect(frames.map(brief)).toEqual(['scope snapshots ', 'group ct/1 2', 'group vm/2 2000', 'complete 2002'])
      expect(frames.toSorted(byText)).toEqual(together.toSorted(byText))
    }
  })

  test.each([
    [
      'that hangs after the first group',
      'timeout',
      Stream.fail(new ScopeFailed({ code: 'timeout', message: 'it hangs', retryable: true })),
    ],
    ['that comes back to a group', 'protocol retryable', Stream.make(...snapshots('vm', '1', 1))],
  ])('fail with their list %s', async (_, code, rest) => {
    const frames = await listed(root, {
      groups: () => Effect.succeed([group('vm', '1', 1), group('vm', '2', 2000)]),
      snapshotsAsTheyCome: () =>
        Stream.concat(Stream.make(...snapshots('vm', '1', 1), ...snapshots('vm', '2', 1)), rest),
    })
    expect(frames.map(brief)).toEqual(['scope snapshots ', 'group vm/1 1', expect.stringContaining(`failed ${code}`)])
  })

  test('of empty groups are none', async () => {
    const frames = await listed(root, { groups: () => Effect.succeed([group('vm', '2', 0)]) })
    expect(frames.map(brief)).toEqual(['scope snapshots ', 'group vm/2 0', 'complete 0'])
  })

  test.each([
    ['one call', [1], ['group vm/1 3', 'complete 3']],
    ['one group at a time', [1, 2000], ['group vm/1 3', 'group vm/2 2000', 'complete 2003']],
  ])('that are fewer than counted are read once more: %s', async (_, others, expected) => {
    const large = others.length > 1
    const cut = inTurn(snapshots('vm', '1', 2), snapshots('vm', '1', 3))
    const frames = await listed(root, {
      groups: () => Effect.succeed([group('vm', '1', 3), ...(large ? [group('vm', '2', 2000)] : [])]),
      snapshots: (__, ___, of) => (of?.id === '2' ? Effect.succeed(snapshots('vm', '2', 2000)) : cut),
    })
    expect(frames.map(brief)).toEqual(['scope snapshots ', ...expected])
  })

  test.each([[3], [2003]])('that are fewer than counted twice fail the scope: %s', async (count) => {
    const frames = await listed(root, {
      groups: () => Effect.succeed([group('vm', '1', count)]),
      snapshots: () => Effect.succeed(snapshots('vm', '1', 2)),
    })
    expect(frames.map(brief)).toEqual(['scope snapshots ', 'failed protocol retryable'])
  })

  test('of a group that appeared in between are read once more', async () => {
    const groups = inTurn([group('vm', '1', 1)], [group('vm', '1', 1), group('vm', '2', 1)])
    const frames = await listed(root, {
      groups: () => groups,
      snapshots: () => Effect.succeed([...snapshots('vm', '1', 1), ...snapshots('vm', '2', 1)]),
    })
    expect(frames.map(brief)).toEqual(['scope snapshots ', 'group vm/1 1', 'group vm/2 1', 'complete 2'])
  })

  test('of a group that was removed in between are not there', async () => {
    const groups = inTurn([group('vm', '1', 1), group('vm', '2', 2000)], [group('vm', '2', 2000)])
    const frames = await listed(root, {
      groups: () => groups,
      snapshots: (_, __, of) => Effect.succeed(of?.id === '2' ? snapshots('vm', '2', 2000) : []),
    })
    expect(frames.map(brief)).toEqual(['scope snapshots ', 'group vm/2 2000', 'complete 2000'])
  })

  test('of an unknown type come with a warning', async () => {
    const frames = await listed(root, {
      groups: () => Effect.succeed([group('lxd', '1', 1)]),
      snapshots: () => Effect.succeed(snapshots('lxd', '1', 1)),
    })
    expect(frames.map(brief)).toEqual(['scope snapshots ', 'warning unknown_value', 'group lxd/1 1', 'complete 1'])
  })

  test('at a time that no calendar has are left out with a warning', async () => {
    const [row] = snapshots('vm', '1', 1)
    const frames = await listed(root, {
      groups: () => Effect.succeed([group('vm', '1', 2)]),
      snapshots: () => Effect.succeed(row === undefined ? [] : [row, { ...row, 'backup-time': 9e14 }]),
    })
    expect(frames.map(brief)).toEqual([
      'scope snapshots ',
      'warning row_unreadable',
      'group vm/1 1',
      'complete 1 left out 1',
    ])
    expect(frames.find(({ frame }) => frame === 'group')).toMatchObject({ left_out: 1 })
  })

  test('with integers that JavaScript cannot hold warn twenty times, then count', async () => {
    const rows = snapshots('vm', '1', 25).map((row) => ({ ...row, unsafeIntegers: ['size'] }))
    const frames = await listed(root, {
      groups: () => Effect.succeed([group('vm', '1', 25)]),
      snapshots: () => Effect.succeed(rows),
    })
    expect(frames.map(brief)).toEqual([
      'scope snapshots ',
      ...Array<string>(20).fill('warning integer_out_of_range'),
      'group vm/1 25',
      'warning integer_out_of_range',
      'complete 25',
    ])
  })

  test('of an owner alone are refused, for the list would be short', async () => {
    const frames = await listed(root, {
      permissions: Effect.succeed({ '/datastore/tank': { 'Datastore.Backup': true } }),
    })
    expect(frames.map(brief)).toEqual(['scope snapshots ', 'failed forbidden'])
  })

  test('fail when the privileges change while they are listed', async () => {
    const audit = { '/': { 'Datastore.Audit': true } }
    const changed = { ...audit, '/datastore/tank': { 'Datastore.Audit': true, 'Datastore.Backup': true } }
    const frames = await listed(root, { permissions: inTurn(audit, changed) })
    expect(frames.map(brief)).toEqual(['scope snapshots ', 'failed protocol retryable'])
  })

  test('which another token would see differently have another visibility', async () => {
    const visibilities = await Promise.all(
      [{}, { 'Datastore.Backup': true }].map(async (more) => {
        const frames = await listed(root, {
          permissions: Effect.succeed({ '/': { 'Datastore.Audit': true, ...more } }),
        })
        const last = frames.at(-1)
        return last?.frame === 'complete' ? last.visibility : null
      }),
    )
    expect(visibilities[0]).toMatch(/^[0-9a-f]{64}$/)
    expect(visibilities[1]).not.toBe(visibilities[0])
  })
})

describe('the namespaces of a datastore', () => {
  test('come first, then the snapshots of each, in order', async () => {
    const frames = await listed({}, { namespaces: () => Effect.succeed(['', 'b', 'a', 'a/c']) })
    expect(frames.map(brief)).toEqual([
      'scope namespaces',
      ...Array<string>(4).fill('namespace'),
      'complete 4',
      ...['', 'a', 'a/c', 'b'].flatMap((path) => [`scope snapshots ${path}`, 'complete 0']),
    ])
  })

  test('that cannot be listed leave out what is below', async () => {
    const frames = await listed({}, { namespaces: () => failing('forbidden') })
    expect(frames.map(brief)).toEqual(['scope namespaces', 'failed forbidden'])
  })

  test('of a store in maintenance are not asked for; other stores go on', async () => {
    const frames = await listed(
      {},
      { datastores: Effect.succeed([store('tank'), store('old', 'offline'), store('ro', 'read-only')]) },
    )
    expect(frames.map(brief)).toEqual([
      'scope namespaces',
      'failed maintenance',
      ...['ro', 'tank'].flatMap(() => [
        'scope namespaces',
        'namespace',
        'complete 1',
        'scope snapshots ',
        'complete 0',
      ]),
    ])
  })

  test('of a store that is not there fail by name', async () => {
    const frames = await listed({ datastores: ['gone'] }, {})
    expect(frames).toEqual([
      { frame: 'scope', resource: 'namespaces', server: 'pbs-a', datastore: 'gone' },
      {
        frame: 'failed',
        resource: 'namespaces',
        server: 'pbs-a',
        datastore: 'gone',
        error: { code: 'protocol', message: 'pbs-a lists no datastore gone' },
        retryable: false,
      },
    ])
  })
})

describe('a server that does not answer', () => {
  test('fails the scopes of all kinds of jobs after one try', async () => {
    let tries = 0
    const frames = await framesOf((session) => jobsScopes(session, {}), {
      permissions: Effect.suspend(() => {
        tries += 1
        return failing('unreachable')
      }),
    })
    expect(frames.map(brief)).toEqual(Array(5).fill(['scope jobs', 'failed unreachable']).flat())
    expect(tries).toBe(1)
  })

  test('fails the scope of its datastores when snapshots were asked for', async () => {
    const frames = await listed({}, { permissions: failing('unauthorized') })
    expect(frames).toEqual([
      { frame: 'scope', resource: 'datastores', server: 'pbs-a' },
      {
        frame: 'failed',
        resource: 'datastores',
        server: 'pbs-a',
        error: { code: 'unauthorized', message: 'it is unauthorized' },
        retryable: false,
      },
    ])
  })
})

describe('jobs', () => {
  test('of chosen kinds; hidden ones are warned of', async () => {
    const frames = await framesOf((session) => jobsScopes(session, { job_types: ['sync', 'tape'] }), {
      permissions: Effect.succeed({ '/': { 'Datastore.Audit': true } }),
    })
    expect(frames.map(brief)).toEqual([
      'scope jobs',
      'warning privileges_missing',
      'complete 0',
      'scope jobs',
      'warning privileges_missing',
      'complete 0',
    ])
  })
})

describe('datastores', () => {
  const both = {
    datastores: Effect.succeed([store('tank'), store('vault')]),
    datastoreConfigs: Effect.succeed([config('tank'), config('vault')]),
  }
  const codes = [
    'protocol',
    'timeout',
    'unreachable',
    'unauthorized',
    'forbidden',
    'maintenance',
    'not_mounted',
  ] as const

  test.each(
    codes.flatMap((code) => [
      [code, 'usage', 'datastoreUsages', 'stays as last known'] as const,
      [code, 'state of garbage collection', 'gcStates', 'is unknown'] as const,
    ]),
  )('are listed although, by %s, their %s cannot be read; the warning names them', async (code, what, list, fate) => {
    const frames = await framesOf(datastoresScopes, { ...both, [list]: failing(code) })
    expect(frames.map(brief)).toEqual([
      'scope datastores',
      'warning state_unavailable',
      'datastore',
      'datastore',
      'complete 2',
    ])
    expect(frames[1]).toMatchObject({ message: `${what} of tank, vault ${fate}: it is ${code}` })
  })

  test('have the size that each tells of itself when the list of all sizes fails', async () => {
    const stores = ['tank', 'vault', 'bucket', 'usb1']
    const requested: Array<string> = []
    const frames = await framesOf(datastoresScopes, {
      datastores: Effect.succeed([
        ...['tank', 'vault', 'bucket'].map((name) => store(name)),
        { ...store('usb1'), 'mount-status': 'notmounted' },
      ]),
      datastoreConfigs: Effect.succeed(
        stores.map((name) =>
          name === 'bucket' ? { ...config(name), backend: 'type=s3,client=minio,bucket=b' } : config(name),
        ),
      ),
      datastoreUsages: failing('protocol'),
      datastoreStatus: (name) => {
        requested.push(name)
        return name === 'vault'
          ? failing('timeout')
          : Effect.succeed({ total: 100, used: 60, avail: 40, 'backend-type': null, unsafeIntegers: [] })
      },
    })
    expect(requested).toEqual(['tank', 'vault'])
    expect(frames.flatMap((frame) => (frame.frame === 'warning' ? [frame.message] : []))).toEqual([
      'usage of usb1, vault stays as last known: it is protocol',
      'forecast of tank is unknown: it is protocol',
    ])
    const sizes = frames.flatMap((frame) =>
      frame.frame === 'datastore' ? [[frame.name, frame.backend_type, frame.observed.used_bytes]] : [],
    )
    expect(sizes).toEqual([
      ['bucket', 's3', null],
      ['tank', '', 60],
      ['usb1', '', null],
      ['vault', '', null],
    ])
    // Unreadable is not the same as known to have no size.
    const unknown = frames.flatMap((frame) => (frame.frame === 'datastore' ? [[frame.name, frame.unknown]] : []))
    const ofCollection = [
      'gc_index_bytes',
      'gc_disk_bytes',
      'gc_removed_bytes',
      'gc_pending_bytes',
      'gc_bad_chunks',
      'last_gc_at',
      'last_gc_end',
    ]
    expect(unknown).toEqual([
      ['bucket', ofCollection],
      ['tank', ofCollection],
      ['usb1', [...sizeFields, ...ofCollection]],
      ['vault', [...sizeFields, ...ofCollection]],
    ])
  })

  test.each(['unreachable', 'unauthorized'] as const)(
    'are not asked one by one when the server is %s',
    async (code) => {
      let requested = 0
      await framesOf(datastoresScopes, {
        ...both,
        datastoreUsages: failing(code),
        datastoreStatus: () => {
          requested++
          return failing(code)
        },
      })
      expect(requested).toBe(0)
    },
  )

  test.each(codes)('keep their gc jobs although, by %s, the states of these cannot be read', async (code) => {
    const frames = await framesOf((session) => jobsScopes(session, { job_types: ['gc'] }), {
      ...both,
      gcStates: failing(code),
    })
    expect(frames.map(brief)).toEqual(['scope jobs', 'warning state_unavailable', 'job', 'job', 'complete 2'])
  })
})

describe('a list that fails', () => {
  const codes = ['timeout', 'unreachable', 'unauthorized'] as const
  const ofVerify = (code: (typeof codes)[number], parts: Parameters<typeof framesOf>[1] = {}) =>
    framesOf((session) => jobsScopes(session, { job_types: ['verify', 'prune'] }), {
      jobs: (type) => (type === 'verify' ? failing(code) : Effect.succeed([])),
      ...parts,
    })

  test.each(codes)('by %s, of a server that still answers, is in trouble alone', async (code) => {
    const frames = await ofVerify(code)
    expect(frames.map(brief)).toEqual(['scope jobs', `failed ${code}`, 'scope jobs', 'complete 0'])
    expect(frames[1]).toMatchObject({ server_answers: true })
  })

  test.each(codes)('by %s, of a server that does not, ends the rest after one more question', async (code) => {
    let requested = 0
    const audit = { '/': { 'Datastore.Audit': true, 'Sys.Audit': true } }
    const frames = await ofVerify(code, {
      permissions: Effect.suspend(() => {
        requested += 1
        return requested === 1 ? Effect.succeed(audit) : failing(code)
      }),
    })
    expect(frames.map(brief)).toEqual(['scope jobs', `failed ${code}`, 'scope jobs', `failed ${code}`])
    expect(frames.filter((frame) => 'server_answers' in frame)).toEqual([])
    expect(requested).toBe(2)
  })

  test('by another certificate is the trouble of the server', async () => {
    const frames = await framesOf((session) => jobsScopes(session, { job_types: ['verify'] }), {
      jobs: () => failing('tls_fingerprint_mismatch'),
    })
    expect(frames[1]).not.toHaveProperty('server_answers')
  })

  test('of the datastores, when snapshots are asked for, says whether the server answers', async () => {
    const frames = await listed({}, { datastores: failing('timeout') })
    expect(frames[1]).toMatchObject({ frame: 'failed', resource: 'datastores', server_answers: true })
  })

  test('of three namespaces by timeout: the others of the datastore are not asked for, those of another are', async () => {
    const requested: Array<string> = []
    const paths = ['', ...Array.from({ length: 30 }, (_, index) => `n${String(index).padStart(2, '0')}`)]
    const frames = await listed(
      {},
      {
        datastores: Effect.succeed([store('tank'), store('vault')]),
        namespaces: (name) => Effect.succeed(name === 'tank' ? paths : ['']),
        groups: (name, path) => {
          requested.push(`${name} ${path}`)
          return name === 'tank' ? failing('timeout') : Effect.succeed([])
        },
      },
    )
    expect(frames.filter(({ frame }) => frame === 'failed')).toHaveLength(paths.length)
    expect(frames.at(-1)).toMatchObject({ frame: 'complete', datastore: 'vault', namespace: '' })
    expect(requested.filter((list) => list.startsWith('tank')).length).toBeLessThanOrEqual(8)
    const answering = frames.filter((frame) => 'server_answers' in frame)
    expect(answering).toHaveLength(paths.length)
  })

  test('of three namespaces, of a server that stopped answering: none says that it answers', async () => {
    let hung = false
    const paths = ['', ...Array.from({ length: 30 }, (_, index) => `n${index}`)]
    const frames = await listed(
      {},
      {
        permissions: Effect.suspend(() =>
          hung ? failing('timeout') : Effect.succeed({ '/': { 'Datastore.Audit': true } }),
        ),
        namespaces: () => Effect.succeed(paths),
        groups: () => {
          hung = true
          return failing('timeout')
        },
      },
    )
    expect(frames.filter(({ frame }) => frame === 'failed')).toHaveLength(paths.length)
    expect(frames.filter((frame) => 'server_answers' in frame)).toEqual([])
  })
})
