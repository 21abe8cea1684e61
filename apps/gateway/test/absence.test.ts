import { PbsVerifyJob } from '@netbox-pbs/pbs-client'
import { Effect } from 'effect'
import { describe, expect, test } from 'vitest'
import type { PbsReader } from '../src/fleet/pbs-reader.ts'
import type { Permissions } from '../src/permissions/permissions.ts'
import { datastoresScopes } from '../src/scopes/datastores.ts'
import { jobsScopes } from '../src/scopes/jobs.ts'
import { failing, group, inTurn, snapshots } from './fake-reader.ts'
import { brief, config, framesOf, listed, store } from './frames-of.ts'
import { pbsRow } from './pbs-row.ts'

const root = { namespaces: [''] }
const audit = { 'Datastore.Audit': true, 'Remote.Audit': true, 'Tape.Audit': true }

describe('a list that is too short to be true', () => {
  test('no groups, but snapshots: read once more, then failed', async () => {
    const rows = () => Effect.succeed(snapshots('vm', '1', 3))
    const short = await listed(root, { snapshots: rows })
    expect(short.map(brief)).toEqual(['scope snapshots ', 'failed protocol retryable'])

    const groups = inTurn([], [group('vm', '1', 3)])
    const mended = await listed(root, { groups: () => groups, snapshots: rows })
    expect(mended.map(brief)).toEqual(['scope snapshots ', 'group vm/1 3', 'complete 3'])
  })

  test.each([
    ['one call', 3],
    ['one group at a time', 2003],
  ])('a snapshot twice in the place of another: %s', async (_, count) => {
    const rows = snapshots('vm', '1', count)
    const doubled = [...rows.slice(1), ...rows.slice(1, 2)]
    const frames = await listed(root, {
      groups: () => Effect.succeed([group('vm', '1', count)]),
      snapshots: () => Effect.succeed(doubled),
    })
    expect(frames.map(brief)).toEqual(['scope snapshots ', 'failed protocol retryable'])
  })

  test.each([
    ['none at all', []],
    ['without the root', ['site-a', 'site-a/lab']],
  ])('namespaces, %s', async (_, paths) => {
    const frames = await listed({}, { namespaces: () => Effect.succeed(paths) })
    expect(frames.map(brief)).toEqual(['scope namespaces', 'failed protocol retryable'])
  })

  test('namespaces without a root that may not be seen are what they are', async () => {
    const frames = await listed(
      {},
      {
        permissions: Effect.succeed({ '/datastore/tank/site-a': audit }),
        namespaces: () => Effect.succeed(['site-a']),
      },
    )
    expect(frames.map(brief).slice(0, 4)).toEqual([
      'scope namespaces',
      'warning privileges_missing',
      'namespace',
      'complete 1',
    ])
  })

  const datastores = (parts: Partial<PbsReader>) => framesOf(datastoresScopes, parts)
  const gcJobs = (parts: Partial<PbsReader>) => framesOf((session) => jobsScopes(session, { job_types: ['gc'] }), parts)
  const one = [store('tank')]
  const both = [store('tank'), store('vault')]
  const configs = [config('tank'), config('vault')]

  test.each([
    ['datastores', datastores, 'datastore'],
    ['gc jobs', gcJobs, 'job'],
  ])('%s, listed otherwise than configured: read once more, then failed', async (_, read, row) => {
    for (const [lists, confs] of [
      [one, configs],
      [[], configs],
      [both, []],
    ] as const) {
      const frames = await read({ datastores: Effect.succeed(lists), datastoreConfigs: Effect.succeed(confs) })
      expect(frames.map(brief).slice(1)).toEqual(['failed protocol retryable'])
    }
    const came = await read({ datastores: inTurn(one, both), datastoreConfigs: Effect.succeed(configs) })
    expect(came.map(brief).slice(1)).toEqual([row, row, 'complete 2'])
  })

  test('no datastores to walk, although some are configured', async () => {
    const frames = await listed({}, { datastores: Effect.succeed([]), datastoreConfigs: Effect.succeed(configs) })
    expect(frames.map(brief)).toEqual(['scope datastores', 'failed protocol retryable'])
    expect(await listed({}, { datastores: Effect.succeed([]) })).toEqual([])
  })

  test('a datastore whose configuration may not be read is no contradiction', async () => {
    const frames = await datastores({
      permissions: Effect.succeed({ '/datastore/tank/site-a': audit }),
      datastores: Effect.succeed(one),
    })
    expect(frames.map(brief).slice(-3)).toEqual(['warning facts_hidden', 'datastore', 'complete 1'])
  })
})

describe('what goes while it is listed', () => {
  test('a namespace, between the lists', async () => {
    const frames = await listed(
      {},
      {
        namespaces: () => Effect.succeed(['', 'gone']),
        groups: (_, namespace) => (namespace === 'gone' ? failing('protocol') : Effect.succeed([])),
      },
    )
    expect(frames.map(brief)).toEqual([
      'scope namespaces',
      'namespace',
      'namespace',
      'complete 2',
      'scope snapshots ',
      'complete 0',
      'scope snapshots gone',
      'failed protocol',
    ])
  })

  test('a disk, in the middle of a large namespace: nothing after it completes the scope', async () => {
    const frames = await listed(root, {
      groups: () => Effect.succeed([group('vm', '1', 1), group('vm', '2', 2000)]),
      snapshots: (_, __, of) => (of?.id === '2' ? failing('not_mounted') : Effect.succeed(snapshots('vm', '1', 1))),
    })
    expect(frames.map(brief)).toEqual(['scope snapshots ', 'group vm/1 1', 'failed not_mounted'])
  })

  test('a privilege, in the middle of a large namespace', async () => {
    const seen: Permissions = { '/': { 'Sys.Audit': true, ...audit } }
    const frames = await listed(root, {
      permissions: inTurn<Permissions>(seen, { '/': { 'Sys.Audit': true, 'Datastore.Backup': true } }),
      groups: () => Effect.succeed([group('vm', '1', 2001)]),
      snapshots: () => Effect.succeed(snapshots('vm', '1', 2001)),
    })
    expect(frames.map(brief)).toEqual(['scope snapshots ', 'group vm/1 2001', 'failed protocol retryable'])
  })
})

describe('the visibility of a token that cannot read the ACL', () => {
  const blind = { '/datastore': audit, '/remote': audit, '/tape': audit }
  const seeing = { '/': { 'Sys.Audit': true, ...audit } }
  const visibilityOf = async (frames: ReturnType<typeof framesOf>) => {
    const last = (await frames).findLast(({ frame }) => frame === 'complete')
    return last?.frame === 'complete' ? last.visibility : null
  }
  const ofStores = (names: ReadonlyArray<string>) => (permissions: typeof blind | typeof seeing) =>
    visibilityOf(
      framesOf(datastoresScopes, {
        permissions: Effect.succeed(permissions),
        datastores: Effect.succeed(names.map((name) => store(name))),
        datastoreConfigs: Effect.succeed(names.map((name) => config(name))),
      }),
    )
  const ofNamespaces = (paths: ReadonlyArray<string>) => (permissions: typeof blind | typeof seeing) =>
    visibilityOf(
      listed(
        {},
        {
          permissions: Effect.succeed(permissions),
          namespaces: () => Effect.succeed(paths),
          groups: () => failing('forbidden'),
        },
      ),
    )
  const ofJobs = (type: string, ids: ReadonlyArray<string>) => (permissions: typeof blind | typeof seeing) =>
    visibilityOf(
      framesOf((session) => jobsScopes(session, { job_types: [type] }), {
        permissions: Effect.succeed(permissions),
        datastores: Effect.succeed(ids.map((id) => store(id))),
        datastoreConfigs: Effect.succeed(ids.map((id) => config(id))),
        jobs: () => Effect.succeed(ids.map((id) => pbsRow(PbsVerifyJob, { id, store: id }))),
      }),
    )

  type Listed = (permissions: typeof blind | typeof seeing) => Promise<string | null>
  const rows: ReadonlyArray<readonly [string, Listed, Listed]> = [
    ['datastores', ofStores(['tank', 'vault']), ofStores(['tank'])],
    ['namespaces', ofNamespaces(['', 'a', 'a/b']), ofNamespaces(['', 'a'])],
    ...['verify', 'prune', 'sync', 'gc', 'tape'].map(
      (type) => [`${type} jobs`, ofJobs(type, ['one', 'two']), ofJobs(type, ['one'])] as const,
    ),
  ]
  test.each(rows)('changes when one of the %s is no longer listed, for it may be hidden', async (_, whole, short) => {
    expect(await short(blind)).not.toBe(await whole(blind))
    expect(await whole(blind)).toBe(await whole(blind))
    expect(await short(seeing)).toBe(await whole(seeing))
  })
})
