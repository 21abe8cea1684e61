import { PbsGroup, PbsSnapshot } from '@netbox-pbs/pbs-client'
import { FastCheck } from 'effect'
import { expect, test } from 'vitest'
import { pbsRow } from '../../test/pbs-row.ts'
import { groupFrame } from './group-frame.ts'
import { lineOf, rowLine } from './open-scope.ts'

const place = { server: 'pbs-a', datastore_name: 'tank', namespace: '' }
const group = pbsRow(PbsGroup, { 'backup-type': 'vm', 'backup-id': '100', 'backup-count': 3, owner: 'root@pam' })

/** The files that a manifest has are in its order; those outside are in that of the directory. */
const files = FastCheck.record({
  inside: FastCheck.array(FastCheck.record({ filename: FastCheck.string(), size: FastCheck.nat() })),
  outside: FastCheck.uniqueArray(FastCheck.string(), { maxLength: 5 }),
})
const rows = FastCheck.uniqueArray(
  FastCheck.record(
    {
      'backup-time': FastCheck.integer({ min: 1, max: 2_000_000_000 }),
      files,
      size: FastCheck.nat(),
      owner: FastCheck.string(),
      comment: FastCheck.string(),
      protected: FastCheck.boolean(),
      verification: FastCheck.record({ state: FastCheck.constantFrom('ok', 'failed'), upid: FastCheck.string() }),
    },
    { requiredKeys: ['backup-time', 'files'] },
  ),
  { selector: (row) => row['backup-time'], maxLength: 6 },
)
type Rows = typeof rows extends FastCheck.Arbitrary<infer List> ? List : never

const manifest = { filename: 'index.json.blob', size: 512 }

/** The line of a group whose rows PBS lists in this order. */
const lineOfRows = (list: Rows, order: <T>(items: ReadonlyArray<T>) => ReadonlyArray<T>): string | undefined => {
  const snapshots = order(list).map(({ files: { inside, outside }, ...row }) => {
    const names = order(outside).map((filename) => ({ filename }))
    const raw = { 'backup-type': 'vm', 'backup-id': '100', ...row, files: [...names, ...inside, manifest] }
    return pbsRow(PbsSnapshot, Object.fromEntries(order(Object.entries(raw))) as typeof raw)
  })
  return rowLine(groupFrame(place, group, snapshots)).line?.text
}

test('equal facts are equal bytes, whatever the order in which PBS lists rows, files and fields', () => {
  FastCheck.assert(
    FastCheck.property(rows, (list) => {
      const line = lineOfRows(list, (items) => items)
      expect(line).toMatch(/^\{"frame":"group","server":"pbs-a","datastore_name":"tank",.*\]\}\n$/s)
      expect(lineOfRows(list, (items) => items.toReversed())).toBe(line)
      expect(lineOfRows(list, (items) => [...items.slice(1), ...items.slice(0, 1)])).toBe(line)
    }),
  )
})

test('other facts are other bytes', () => {
  const one = { 'backup-time': 1, files: { inside: [], outside: ['a'] } }
  const line = lineOfRows([one], (items) => items)
  for (const other of [
    { ...one, owner: 'b' },
    { ...one, files: { inside: [], outside: ['b'] } },
  ])
    expect(lineOfRows([other], (items) => items)).not.toBe(line)
})

/** Rows with nothing in its place: odd fields, files without a manifest or with one that cannot be read, times that no calendar has. */
const strangeRows = FastCheck.array(
  FastCheck.record({
    time: FastCheck.oneof(FastCheck.maxSafeInteger(), FastCheck.integer({ min: 1, max: 2_000_000_000 })),
    files: FastCheck.array(
      FastCheck.record(
        {
          filename: FastCheck.oneof(FastCheck.string(), FastCheck.constant(manifest.filename)),
          size: FastCheck.oneof(FastCheck.maxSafeNat(), FastCheck.constant(null)),
          'crypt-mode': FastCheck.constantFrom('none', 'encrypt', 'sign-only', 'later', null),
        },
        { requiredKeys: ['filename'] },
      ),
    ),
    size: FastCheck.oneof(FastCheck.maxSafeNat(), FastCheck.constant(null)),
    oddFields: FastCheck.subarray(['size', 'owner', 'files.0.size', 'files', 'verification.upid', 'comment', 'later']),
    unsafeIntegers: FastCheck.subarray(['size', 'files.0.size']),
    comment: FastCheck.string(),
  }),
  { maxLength: 6 },
)
const strangeGroup = FastCheck.record({
  'backup-count': FastCheck.oneof(FastCheck.nat(6), FastCheck.constant(null)),
  'last-backup': FastCheck.oneof(FastCheck.integer(), FastCheck.constant(null)),
  owner: FastCheck.oneof(FastCheck.string(), FastCheck.constant(null)),
  comment: FastCheck.oneof(FastCheck.string(), FastCheck.constant(null)),
  oddFields: FastCheck.subarray(['owner', 'comment', 'backup-count']),
})

test('the line of a group is what its consumer makes of it, whatever its rows are', () => {
  FastCheck.assert(
    FastCheck.property(strangeRows, strangeGroup, FastCheck.nat(3), (list, facts, leftOut) => {
      const snapshots = list.map(({ time, files, size, oddFields, unsafeIntegers, comment }) => ({
        ...pbsRow(PbsSnapshot, { 'backup-type': 'vm', 'backup-id': '100', 'backup-time': time, files, size, comment }),
        ...(oddFields.length === 0 ? {} : { oddFields }),
        unsafeIntegers,
      }))
      const frame = groupFrame(place, { ...group, ...facts }, snapshots, leftOut)
      const { line, notes } = rowLine(frame)
      expect([line?.text, notes]).toEqual([lineOf(frame).text, []])
    }),
    { numRuns: 500 },
  )
})
