import { hash } from 'node:crypto'
import { shortDigest } from '@netbox-pbs/core'
import type { PbsGroup, PbsSnapshot } from '@netbox-pbs/pbs-client'
import { encodeFrame, type Frame } from '@netbox-pbs/proxbox-client/contract'
import { Effect } from 'effect'
import { describe, expect, test } from 'vitest'
import { failing, group, snapshots } from './fake-reader.ts'
import { brief, listed } from './frames-of.ts'

const manifest = { filename: 'index.json.blob', size: 500, 'crypt-mode': 'none' }
const finished = (type: string, id: string, count: number): ReadonlyArray<PbsSnapshot> =>
  snapshots(type, id, count).map((row) => ({ ...row, files: [manifest], size: 500 }))

interface Guest {
  readonly group: PbsGroup
  readonly rows: ReadonlyArray<PbsSnapshot>
}

const guest = (id: string, count: number): Guest => ({
  group: { ...group('vm', id, count), files: ['index.json.blob'] },
  rows: finished('vm', id, count),
})

/** The frames of a namespace with these guests, and which lists of snapshots were asked for. */
const read = async (guests: ReadonlyArray<Guest>, known: ReadonlyArray<string> = []) => {
  const requested: Array<string> = []
  const frames = await listed(
    { namespaces: [''], known: { groups: new Set(known), frames: new Set() } },
    {
      groups: () => Effect.succeed(guests.map((one) => one.group)),
      snapshots: (_, __, of) => {
        requested.push(of === undefined ? 'all' : of.id)
        return Effect.succeed(
          guests.filter((one) => of === undefined || one.group['backup-id'] === of.id).flatMap((one) => one.rows),
        )
      },
    },
  )
  return { frames, requested }
}

/** The guest with another first snapshot. */
const withFirst = ({ group: row, rows }: Guest, change: Partial<PbsSnapshot>): Guest => ({
  group: row,
  rows: rows.map((one, index) => (index === 0 ? { ...one, ...change } : one)),
})

const digestOf = (frames: ReadonlyArray<Frame>, id: string): string | undefined =>
  frames.flatMap((frame) => (frame.frame === 'group' && frame.backup_id === id ? [frame.list_digest] : []))[0]

const known = async (guests: ReadonlyArray<Guest>): Promise<ReadonlyArray<string>> =>
  (await read(guests)).frames.flatMap((frame) =>
    frame.frame === 'group' && frame.list_digest !== undefined ? [frame.list_digest] : [],
  )

const fleet = Array.from({ length: 10 }, (_, index) => guest(`${index}`, 30))

describe('a list of groups that the caller knows', () => {
  test('asks for no list of snapshots', async () => {
    const { frames, requested } = await read(fleet, await known(fleet))
    expect(requested).toEqual([])
    expect(frames.map(brief)).toEqual(['scope snapshots ', ...fleet.map(() => 'unchanged_group'), 'complete 300'])
  })

  test.each<[string, (of: Guest) => Guest]>([
    [
      'has another backup',
      ({ rows }) => ({ ...guest('3', 31), rows: [...rows, ...finished('vm', '3', 31).slice(30)] }),
    ],
    ['has lost one', () => guest('3', 29)],
    ['has a newer one in the place of an old one', (one) => ({ ...one, group: { ...one.group, 'last-backup': 31 } })],
    ['has another owner', (one) => ({ ...one, group: { ...one.group, owner: 'root@pam' } })],
    ['has another note', (one) => ({ ...one, group: { ...one.group, comment: 'db' } })],
    ['has other files', (one) => ({ ...one, group: { ...one.group, files: ['client.log.blob', 'index.json.blob'] } })],
  ])('reads by itself a group that %s', async (_, change) => {
    const changed = fleet.map((one) => (one.group['backup-id'] === '3' ? change(one) : one))
    const { frames, requested } = await read(changed, await known(fleet))
    expect(requested).toEqual(['3'])
    expect(frames.filter(({ frame }) => frame === 'unchanged_group')).toHaveLength(9)
    expect(frames.filter(({ frame }) => frame === 'group')).toHaveLength(1)
  })

  test('reads a new group by itself, and says nothing of one that is gone', async () => {
    const { frames, requested } = await read([...fleet.slice(1), guest('new', 1)], await known(fleet))
    expect(requested).toEqual(['new'])
    expect(frames.map(brief).at(-1)).toBe('complete 271')
  })

  test('is read in one list when it is empty, which both lists must say', async () => {
    const { frames, requested } = await read([], await known(fleet))
    expect([requested, frames.map(brief).at(-1)]).toEqual([['all'], 'complete 0'])
  })

  test('is read in one list where most of it has changed', async () => {
    const changed = fleet.map((one) => ({ ...one, group: { ...one.group, comment: 'moved' } }))
    const { requested } = await read(changed, await known(fleet))
    expect(requested).toEqual(['all'])
  })

  test('fails as ever when a changed group cannot be read', async () => {
    const frames = await listed(
      { namespaces: [''], known: { groups: new Set(await known(fleet)), frames: new Set() } },
      {
        groups: () => Effect.succeed([...fleet.map((one) => one.group), group('vm', 'bad', 1)]),
        snapshots: () => failing('protocol'),
      },
    )
    expect(frames.map(brief).at(-1)).toBe('failed protocol')
  })
})

describe('a frame that the caller has', () => {
  const known = async (guests: ReadonlyArray<Guest>): Promise<ReadonlySet<string>> =>
    new Set(
      (await read(guests)).frames
        .filter(({ frame }) => frame === 'group')
        .map((frame) => shortDigest(hash('sha256', encodeFrame(frame).trimEnd(), 'hex'))),
    )
  const again = (guests: ReadonlyArray<Guest>, frames: ReadonlySet<string>) =>
    listed(
      { namespaces: [''], known: { groups: new Set(), frames } },
      {
        groups: () => Effect.succeed(guests.map((one) => one.group)),
        snapshots: (_, __, of) =>
          Effect.succeed(
            guests.filter((one) => of === undefined || one.group['backup-id'] === of.id).flatMap((one) => one.rows),
          ),
      },
    )

  test('is named with the count of its snapshots, and sent when a fact in it is another one', async () => {
    const frames = await known(fleet)
    const changed = fleet.map((one) => (one.group['backup-id'] === '3' ? withFirst(one, { comment: 'db' }) : one))
    const sent = await again(changed, frames)
    expect(sent.map(brief)).toEqual([
      'scope snapshots ',
      ...fleet.map((one) => (one.group['backup-id'] === '3' ? 'group vm/3 30' : 'unchanged_frame')),
      'complete 300',
    ])
    expect(sent[1]).toEqual({
      frame: 'unchanged_frame',
      server: 'pbs-a',
      backup_type: 'vm',
      backup_id: '0',
      digest: [...frames][0],
      count: 30,
    })
  })

  test('is sent when some of its snapshots cannot be read now', async () => {
    const frames = await known(fleet)
    const short = fleet.map((one) => (one.group['backup-id'] === '3' ? { ...one, rows: one.rows.slice(1) } : one))
    expect((await again(short, frames)).filter(({ frame }) => frame === 'unchanged_frame')).toHaveLength(9)
  })
})

describe('the digest of a row of the list of groups', () => {
  test('does not hang on the order of files, and does on the place', async () => {
    const files = ['index.json.blob', 'client.log.blob']
    const [one, other] = [files, files.toReversed()].map((order) => ({
      ...guest('1', 2),
      group: { ...guest('1', 2).group, files: order },
    })) as [Guest, Guest]
    const [first, second] = [await read([one]), await read([other])]
    expect(digestOf(first.frames, '1')).toBe(digestOf(second.frames, '1'))
    const elsewhere = await listed(
      { namespaces: ['site-a'] },
      { groups: () => Effect.succeed([one.group]), snapshots: () => Effect.succeed(one.rows) },
    )
    expect(digestOf(elsewhere, '1')).not.toBe(digestOf(first.frames, '1'))
  })

  test.each<[string, (of: Guest) => Guest]>([
    ['a backup runs', (one) => withFirst(one, { files: [], size: null })],
    [
      'a manifest cannot be read',
      (one) => withFirst(one, { size: null, files: [{ filename: 'index.json.blob', size: null, 'crypt-mode': null }] }),
    ],
    ['the newest backup is another one', (one) => ({ ...one, group: { ...one.group, 'last-backup': 99 } })],
    ['more backups are listed than counted', (one) => ({ ...one, group: { ...one.group, 'backup-count': 2 } })],
    ['a field of a snapshot is odd', (one) => withFirst(one, { oddFields: ['owner'] })],
    ['an integer of the row is unsafe', (one) => ({ ...one, group: { ...one.group, unsafeIntegers: ['x'] } })],
  ])('is left out while %s', async (_, change) => {
    const { frames } = await read([change(guest('1', 3))])
    expect(frames.some(({ frame }) => frame === 'group')).toBe(true)
    expect(digestOf(frames, '1')).toBeUndefined()
  })
})
