import { FastCheck } from 'effect'
import { describe, expect, test } from 'vitest'
import { keyText, type NaturalKey, naturalKey } from '../key.ts'
import type { FieldValue } from '../registry/field.ts'
import { type Facts, fieldsOfClass, type SharedKey } from '../registry/registry.ts'
import { absenceOf, type Change, diff, KeyedRows, type MainRow, type SourceRow, type SourceRows } from './diff.ts'

type Snapshot = Facts<'snapshot'>

const snapshot = (change: Partial<Snapshot> = {}): Snapshot => ({
  server: 1,
  datastore_name: 'tank',
  namespace: '',
  backup_type: 'vm',
  backup_id: '101',
  backup_time: '2026-05-01T02:00:00Z',
  size_bytes: 1000,
  owner: 'root@pam',
  protected: false,
  comment: '',
  verification_state: 'ok',
  verification_upid: '',
  crypt_mode: 'none',
  key_fingerprint: '',
  finished: true,
  manifest_files: [{ filename: 'drive.img.fidx', size: 900, crypt_mode: 'none' }],
  other_files: [],
  ...change,
})
const row = (facts: Snapshot, change: Partial<MainRow<'snapshot'>> = {}): MainRow<'snapshot'> => ({
  id: 1,
  presence: 'listed',
  facts,
  ...change,
})
type Listed = SourceRow<'snapshot'> & Pick<Snapshot, SharedKey<'snapshot'>>
/** A snapshot as its list has it: without the key columns of its group. */
const listed = ({ server, datastore_name, namespace, backup_type, backup_id, ...row }: Listed) => row
const listsOf = (source: ReadonlyArray<Listed>): ReadonlyArray<SourceRows<'snapshot'>> =>
  source.map((whole) => {
    const { server, datastore_name, namespace, backup_type, backup_id } = whole
    return { within: { server, datastore_name, namespace, backup_type, backup_id }, rows: [listed(whole)] }
  })
const compare = (main: ReadonlyArray<MainRow<'snapshot'>>, source: ReadonlyArray<Listed>, complete = true) =>
  diff({ model: 'snapshot', main, source: listsOf(source), complete })

const noSightings = { noted: [], returned: [] }

describe('an overridden field', () => {
  const overrides = { comment: 'from the source' }
  const decided = row(snapshot({ comment: 'of the reviewer' }), { overrides })
  test('is left alone while the source says what was decided against', () => {
    expect(compare([decided], [snapshot({ comment: 'from the source' })])).toEqual({
      changes: [],
      unchanged: 1,
      ...noSightings,
    })
  })
  test('changes when the source says something new, from what was decided against', () => {
    expect(compare([decided], [snapshot({ comment: 'new' })]).changes).toMatchObject([
      { fields: [{ field: 'comment', base: 'from the source', value: 'new' }] },
    ])
  })
  test('holds no other field', () => {
    expect(compare([decided], [snapshot({ comment: 'from the source', protected: true })]).changes).toMatchObject([
      { fields: [{ field: 'protected', base: false, value: true }] },
    ])
  })
})

describe('a row', () => {
  const key = naturalKey('snapshot', snapshot())

  test('that main lacks is created', () => {
    expect(compare([], [snapshot()])).toEqual({
      changes: [{ _tag: 'create', key, values: listed(snapshot()) }],
      unchanged: 0,
      ...noSightings,
    })
  })

  test('that differs is updated in the fields that differ', () => {
    expect(compare([row(snapshot())], [snapshot({ comment: 'keep', protected: true })]).changes).toEqual([
      {
        _tag: 'update',
        id: 1,
        key,
        fields: [
          { field: 'protected', base: false, value: true },
          { field: 'comment', base: '', value: 'keep' },
        ],
        appears: false,
        broken: [],
      },
    ])
  })

  test.each(['manual', 'missing'] as const)(
    'that was %s and is reported appears, also without a difference',
    (presence) => {
      expect(compare([row(snapshot(), { presence })], [snapshot()]).changes).toEqual([
        { _tag: 'update', id: 1, key, fields: [], appears: true, broken: [] },
      ])
    },
  )

  test.each([
    ['listed', true, 1],
    ['missing', true, 1],
    ['manual', true, 0],
    ['listed', false, 0],
    ['missing', false, 0],
    ['manual', false, 0],
  ] as const)('that is %s and not reported, the list complete: %s, gives %i deletions', (presence, complete, count) => {
    const { changes } = compare([row(snapshot(), { presence })], [], complete)
    const already = presence === 'missing' ? { missing: true } : {}
    expect(changes).toEqual(count === 1 ? [{ _tag: 'delete', id: 1, key, ...already }] : [])
  })

  test.each([
    ['listed', null, [], [1]],
    ['absent', 7, [], []],
    ['absent', 6, ['delete'], []],
    ['missing', null, ['delete'], []],
    ['manual', null, [], []],
  ] as const)(
    'that is %s since run %s and not in the list of run 7 gives %j, and notes %j',
    (presence, absentRun, tags, noted) => {
      const main = [row(snapshot(), { presence, absentRun })]
      const result = diff({ model: 'snapshot', main, source: [], complete: true, runId: 7 })
      expect([result.changes.map(({ _tag }) => _tag), result.noted]).toEqual([tags, noted])
      const partial = diff({ model: 'snapshot', main, source: [], complete: false, runId: 7 })
      expect(partial).toEqual({ changes: [], unchanged: 0, ...noSightings })
    },
  )

  test('that was absent and is listed again is the same row, whether it differs or not', () => {
    const main = [row(snapshot(), { presence: 'absent', absentRun: 6 })]
    const again = diff({ model: 'snapshot', main, source: listsOf([snapshot()]), complete: true, runId: 7 })
    expect(again).toEqual({ changes: [], unchanged: 1, noted: [], returned: [1] })
    const changed = diff({
      model: 'snapshot',
      main,
      source: listsOf([snapshot({ comment: 'x' })]),
      complete: true,
      runId: 7,
    })
    expect(changed).toMatchObject({ changes: [{ _tag: 'update', id: 1, appears: false }], returned: [1] })
  })

  test('reported twice counts once, the last time', () => {
    const { changes } = compare([], [snapshot({ comment: 'first' }), snapshot({ comment: 'last' })])
    expect(changes).toEqual([{ _tag: 'create', key, values: listed(snapshot({ comment: 'last' })) }])
  })

  test('is the same whatever the order of the keys in its JSON, but not of its lists', () => {
    const swapped = snapshot({ manifest_files: [{ crypt_mode: 'none', size: 900, filename: 'drive.img.fidx' }] })
    expect(compare([row(snapshot())], [swapped])).toEqual({ changes: [], unchanged: 1, ...noSightings })
    const [a, b] = [{ filename: 'a' }, { filename: 'b' }]
    const lists = compare([row(snapshot({ other_files: [a, b] }))], [snapshot({ other_files: [b, a] })])
    expect(lists.unchanged).toBe(0)
  })
})

describe('an immutable fact', () => {
  const files = [{ filename: 'other.img.fidx', size: 1, crypt_mode: 'none' }]
  test.each<[string, Partial<Snapshot>, Partial<Snapshot>, ReadonlyArray<string>]>([
    ['the files of a finished snapshot', {}, { manifest_files: files }, ['manifest_files']],
    ['its size alone, which notes and verification change too', {}, { size_bytes: 1001 }, []],
    ['both', {}, { size_bytes: 1001, manifest_files: files }, ['size_bytes', 'manifest_files']],
    ['those of one that was not finished', { finished: false }, { size_bytes: 1, manifest_files: files }, []],
  ])('%s', (_, before, after, broken) => {
    const [change] = compare([row(snapshot(before))], [snapshot(after)]).changes
    expect(change).toMatchObject({ _tag: 'update', broken })
  })
})

describe('what the source cannot tell', () => {
  // An unreadable manifest: PBS lists the names of its files and none of its contents.
  const blank = {
    size_bytes: null,
    comment: '',
    verification_state: '',
    verification_upid: '',
    crypt_mode: '',
    key_fingerprint: '',
    manifest_files: [],
    other_files: [{ filename: 'index.json.blob' }],
  }
  const unknown = Object.keys(blank)
  const known = snapshot({ comment: 'before the upgrade', crypt_mode: 'encrypt' })
  const unreadable = { ...snapshot(blank), unknown }

  test('is left as main knows it, and what it does tell is taken', () => {
    expect(compare([row(known)], [unreadable])).toEqual({ changes: [], unchanged: 1, ...noSightings })
    expect(compare([row(known)], [{ ...unreadable, protected: true }]).changes).toMatchObject([
      { fields: [{ field: 'protected', base: false, value: true }], broken: [] },
    ])
  })

  test('is blank in a row that main lacks, without the list of what is unknown', () => {
    const { changes } = compare([], [unreadable])
    const key = naturalKey('snapshot', snapshot())
    expect(changes).toStrictEqual([{ _tag: 'create', key, values: listed(snapshot(blank)) }])
  })

  test('raises no alarm when it can be told again, whatever main knew', () => {
    expect(compare([row(known)], [known])).toEqual({ changes: [], unchanged: 1, ...noSightings })
    const [learnt] = compare([row(snapshot(blank))], [known]).changes
    expect(learnt).toMatchObject({ _tag: 'update', broken: [] })
  })

  test('hides no tampering: another list of files than the one known is broken', () => {
    const other = snapshot({ size_bytes: 1, manifest_files: [{ filename: 'x', size: 1, crypt_mode: 'none' }] })
    expect(compare([row(known)], [other]).changes).toMatchObject([{ broken: ['size_bytes', 'manifest_files'] }])
    expect(compare([row(known)], [snapshot({ manifest_files: [] })]).changes).toMatchObject([
      { broken: ['manifest_files'] },
    ])
  })
})

const aSnapshot = FastCheck.record({
  backup_id: FastCheck.constantFrom('1', '2', '3', '10'),
  backup_type: FastCheck.constantFrom('vm', 'ct', 'future'),
  comment: FastCheck.constantFrom('', 'a', 'b'),
  size_bytes: FastCheck.option(FastCheck.integer({ min: 0, max: 3 })),
  finished: FastCheck.boolean(),
  other_files: FastCheck.array(FastCheck.record({ filename: FastCheck.constantFrom('x', 'y') }), { maxLength: 2 }),
}).map(snapshot)
const textOf = (facts: Snapshot): string => keyText(naturalKey('snapshot', facts))
const someSnapshots = FastCheck.uniqueArray(aSnapshot, { selector: textOf })
const someRows = FastCheck.tuple(
  someSnapshots,
  FastCheck.infiniteStream(FastCheck.constantFrom<MainRow<'snapshot'>['presence']>('listed', 'manual', 'missing')),
).map(([facts, presences]) =>
  facts.map((values, index) => row(values, { id: index + 1, presence: presences.next().value })),
)

const keyOf = ([server, datastore_name, namespace, backup_type, backup_id]: NaturalKey<'snapshot'>) => ({
  ...{ server, datastore_name, namespace, backup_type, backup_id },
})

/** The rows of main after a store applied the changes: only the facts and whether a row is listed. */
function apply(main: ReadonlyArray<MainRow<'snapshot'>>, changes: ReadonlyArray<Change<'snapshot'>>) {
  const rows = new Map(main.map((one) => [one.id, one]))
  const created: Array<Snapshot> = []
  for (const change of changes) {
    if (change._tag === 'create') created.push(snapshot({ ...keyOf(change.key), ...change.values }))
    else if (change._tag === 'delete') rows.delete(change.id)
    else {
      const before = rows.get(change.id)
      const set = Object.fromEntries(change.fields.map(({ field, value }) => [field, value]))
      if (before !== undefined) {
        const presence = change.appears ? 'listed' : before.presence
        rows.set(change.id, { ...before, presence, facts: { ...before.facts, ...set } })
      }
    }
  }
  return [...rows.values(), ...created.map((facts) => row(facts, { id: 0 }))]
}
const sorted = (facts: ReadonlyArray<Snapshot>) => [...facts].sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1))

describe('for any two sides', () => {
  test('applying what differs makes main what the source lists, and rows made by a user stay', () => {
    FastCheck.assert(
      FastCheck.property(someRows, someSnapshots, (main, source) => {
        const after = apply(main, compare(main, source).changes)
        const listed = after.filter(({ presence }) => presence === 'listed').map(({ facts }) => facts)
        expect(sorted(listed)).toEqual(sorted(source))
        const reported = new Set(source.map(textOf))
        const byUser = main.filter(({ presence, facts }) => presence === 'manual' && !reported.has(textOf(facts)))
        expect(after.filter(({ presence }) => presence === 'manual')).toEqual(byUser)
        expect(compare(after, source)).toEqual({ changes: [], unchanged: source.length, ...noSightings })
      }),
    )
  })

  test('the order of neither side matters', () => {
    FastCheck.assert(
      FastCheck.property(someRows, someSnapshots, (main, source) => {
        expect(compare([...main].reverse(), [...source].reverse())).toEqual(compare(main, source))
      }),
    )
  })

  test('a list that is not complete deletes nothing, and says the same of all else', () => {
    FastCheck.assert(
      FastCheck.property(someRows, someSnapshots, (main, source) => {
        const complete = compare(main, source)
        const partial = compare(main, source, false)
        expect(partial).toEqual({ ...complete, changes: complete.changes.filter(({ _tag }) => _tag !== 'delete') })
      }),
    )
  })

  test('equal sides have no difference', () => {
    FastCheck.assert(
      FastCheck.property(someSnapshots, (source) => {
        const main = source.map((facts, id) => row(facts, { id }))
        expect(compare(main, source)).toEqual({ changes: [], unchanged: source.length, ...noSightings })
      }),
    )
  })

  test('only immutable and source fields are compared', () => {
    const compared = new Set(fieldsOfClass('snapshot', 'immutable', 'source'))
    const foreign: Record<string, FieldValue> = {
      last_seen_at: 'x',
      missing_since: 'x',
      tags: ['x'],
      custom_fields: { x: 1 },
      files: ['x'],
    }
    FastCheck.assert(
      FastCheck.property(someRows, someSnapshots, (main, source) => {
        const { changes } = compare(
          main.map((one) => ({ ...one, facts: { ...one.facts, ...foreign } })),
          source,
        )
        for (const change of changes) {
          if (change._tag === 'update') for (const { field } of change.fields) expect(compared.has(field)).toBe(true)
        }
        expect(changes).toEqual(compare(main, source).changes)
      }),
    )
  })
})

const text = FastCheck.constantFrom('', 'a', '"', 'a,', '1')
const rows = FastCheck.array(
  FastCheck.record({
    server: FastCheck.constantFrom(1, 2, '1'),
    datastore_name: text,
    namespace: text,
    backup_type: text,
    backup_id: text,
  }),
)

test('a row is found by its whole key, the last one set, whatever rows came before', () => {
  FastCheck.assert(
    FastCheck.property(rows, rows, (set, lookups) => {
      type Row = Partial<(typeof set)[number]>
      const keyed = new KeyedRows<'group', Row>('group')
      const byText = new Map<string, Row>()
      for (const [i, whole] of set.entries()) {
        // Every second row leaves out what it says of its list.
        const { backup_id, ...within } = whole
        const row = i % 2 === 0 ? whole : { backup_id }
        keyed.set(row, i % 2 === 0 ? {} : within)
        byText.set(keyText(naturalKey('group', whole)), row)
      }
      for (const like of lookups) {
        const key = keyText(naturalKey('group', like))
        expect(keyed.take(like)).toBe(byText.get(key))
        byText.delete(key)
      }
      const left = [...keyed.left()]
      expect(new Map(left.map(({ key, row }) => [keyText(key), row]))).toEqual(byText)
      expect(left.length).toBe(byText.size)
    }),
  )
})

test.each([
  ['manual', null, null, 'kept'],
  ['manual', null, 7, 'kept'],
  ['listed', null, null, 'deleted'],
  ['listed', null, 7, 'noted'],
  ['absent', 7, null, 'deleted'],
  ['absent', 7, 7, 'kept'],
  ['absent', 6, 7, 'deleted'],
  // A run that began earlier is another run anyway.
  ['absent', 8, 7, 'deleted'],
  ['absent', null, 7, 'noted'],
  ['missing', null, null, 'deleted'],
  ['missing', null, 7, 'deleted'],
  ['missing', 7, 7, 'deleted'],
] as const)(
  'a row that is %s, since run %s, and that the list of run %s lacks: %s',
  (presence, absentRun, runId, becomes) => {
    expect(absenceOf({ presence, absentRun }, runId)).toBe(becomes)
  },
)
