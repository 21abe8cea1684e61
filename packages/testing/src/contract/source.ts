import { type Resource, resources, type Scope, scopeKey } from '@netbox-pbs/core'
import { Source, type SourceFrame, type SourceRequest } from '@netbox-pbs/core/ports'
import { Chunk, Effect, Stream } from 'effect'
import { describe, expect, test } from 'vitest'

/** A source under test that lists all of two servers, of which nothing changes. */
export interface SourceUnderTest {
  readonly run: <A, E>(effect: Effect.Effect<A, E, Source>) => Promise<A>
  /** Their names; the first has datastores with snapshots. */
  readonly servers: readonly [string, string]
  /** What it can list; left out: every resource. */
  readonly lists?: ReadonlyArray<Resource>
}

type GroupFrame = Extract<SourceFrame, { readonly _tag: 'group' }>

/** A scope with its rows, and the count that its source gives. */
interface ListedScope {
  readonly scope: Scope
  readonly rows: ReadonlyArray<SourceFrame>
  readonly count: number
}

/** The contract of `Source`: the order of a stream that fails nowhere. */
export const sourceContract = ({ run, servers: [first, second], lists = resources }: SourceUnderTest): void => {
  const framesOf = (request: SourceRequest): Promise<ReadonlyArray<SourceFrame>> =>
    run(
      Effect.flatMap(Source, (source) => Effect.map(Stream.runCollect(source.frames(request)), Chunk.toReadonlyArray)),
    )
  const only = (resource: Resource, server = first) =>
    resource === 'servers' ? { resource } : { resource, servers: [server] }
  const groupsOf = (frames: ReadonlyArray<SourceFrame>) =>
    frames.filter((frame): frame is GroupFrame => frame._tag === 'group')
  const parsed = (frames: ReadonlyArray<SourceFrame>) => run(Effect.forEach(groupsOf(frames), ({ parse }) => parse))

  test.each(lists)('%s come in scopes that open, list and complete, and the end comes last', async (resource) => {
    const frames = await framesOf(only(resource))
    expect(frames.at(-1)).toEqual({ _tag: 'end' })
    const scopes = listed(frames.slice(0, -1))
    expect(scopes.length).toBeGreaterThan(0)
    for (const { scope, rows, count } of scopes) {
      expect(await rowCount(rows)).toBe(count)
      if (scope.resource !== 'servers') expect(scope.server).toBe(first)
    }
  })

  test('servers are all listed, whichever were asked for', async () => {
    for (const request of [{ resource: 'servers' }, { resource: 'servers', servers: [second] }] as const) {
      const frames = await framesOf(request)
      expect(frames.flatMap((row) => (row._tag === 'server' ? [row.facts.name] : [])).toSorted()).toEqual(
        [first, second].toSorted(),
      )
    }
  })

  describe('groups of snapshots', () => {
    test('lie in the scope that lists them, and say their key once', async () => {
      const scopes = listed((await framesOf(only('snapshots'))).slice(0, -1))
      const withGroups = scopes.filter(({ rows }) => groupsOf(rows).length > 0)
      expect(withGroups.length).toBeGreaterThan(0)
      for (const { scope, rows } of withGroups) {
        if (scope.resource !== 'snapshots') throw new Error(`groups among ${scope.resource}`)
        for (const { facts, snapshots } of await parsed(rows)) {
          expect([facts.datastore_name, facts.namespace]).toEqual([scope.datastore, scope.namespace])
          for (const snapshot of snapshots) expect(snapshot).not.toHaveProperty('backup_id')
        }
      }
    })

    test('have the same digests and facts in the next stream, and digests of their own', async () => {
      const [one, next] = [await framesOf(only('snapshots')), await framesOf(only('snapshots'))]
      const digests = groupsOf(one).map(({ digest }) => digest)
      expect(groupsOf(next).map(({ digest }) => digest)).toEqual(digests)
      expect(new Set(digests).size).toBe(digests.length)
      expect(await parsed(next)).toEqual(await parsed(one))
    })
  })

  async function rowCount(rows: ReadonlyArray<SourceFrame>): Promise<number> {
    const groups = await parsed(rows)
    const snapshots = groups.reduce((sum, group) => sum + group.snapshots.length, 0)
    return rows.length - groups.length + snapshots
  }
}

/** The scopes of a stream without its end. Fails where they do not open, list and complete one after the other. */
function listed(frames: ReadonlyArray<SourceFrame>): ReadonlyArray<ListedScope> {
  const scopes: Array<ListedScope> = []
  let open: { readonly scope: Scope; readonly rows: Array<SourceFrame> } | null = null
  for (const frame of frames) {
    if (frame._tag === 'warning') continue
    if (frame._tag === 'scope') {
      expect(open).toBeNull()
      open = { scope: frame.scope, rows: [] }
      continue
    }
    if (open === null) throw new Error(`a ${frame._tag} outside of any scope`)
    if (frame._tag === 'complete') {
      expect(scopeKey(frame.scope)).toBe(scopeKey(open.scope))
      scopes.push({ ...open, count: frame.count })
      open = null
    } else {
      expect(['failed', 'end']).not.toContain(frame._tag)
      open.rows.push(frame)
    }
  }
  expect(open).toBeNull()
  return scopes
}
