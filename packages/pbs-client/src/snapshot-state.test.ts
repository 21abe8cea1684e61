import { describe, expect, test } from 'vitest'
import { cryptModeOf, hasReadableManifest, isFinished, verifiedAt } from './snapshot-state.ts'

const files = (...modes: ReadonlyArray<string | null | undefined>) =>
  modes.map((mode, index) =>
    mode === undefined ? { filename: `${index}.blob` } : { filename: `${index}.blob`, 'crypt-mode': mode },
  )
const manifest = (mode: string) => ({ filename: 'index.json.blob', 'crypt-mode': mode })

describe('the crypt mode of a snapshot', () => {
  const rows: ReadonlyArray<readonly [string, Parameters<typeof cryptModeOf>[0]['files'], string]> = [
    ['no files', [], 'none'],
    ['only names (running)', files(undefined, undefined), 'none'],
    ['none everywhere', files('none', 'none'), 'none'],
    [
      'all encrypted, manifest signed, a log without mode',
      [...files('encrypt', 'encrypt', undefined, null), manifest('sign-only')],
      'encrypt',
    ],
    ['all signed', [...files('sign-only', 'sign-only'), manifest('sign-only')], 'sign-only'],
    ['the signed manifest alone', [manifest('sign-only')], 'none'],
    ['some encrypted', files('encrypt', 'none'), 'mixed'],
    ['some signed', files('sign-only', 'none'), 'mixed'],
    ['encrypted and signed', files('encrypt', 'sign-only'), 'mixed'],
    ['a later mode and encrypted', files('encrypt', 'later'), 'mixed'],
  ]
  test.each(rows)('%s', (_name, list, expected) => {
    expect(cryptModeOf({ files: list })).toBe(expected)
  })
})

test.each([
  [['root.pxar.didx', 'index.json.blob'], true],
  [['root.pxar.didx'], false],
  [[], false],
])('finished with %j: %s', (names, expected) => {
  expect(isFinished({ files: names.map((filename) => ({ filename })) })).toBe(expected)
})

test.each([
  ['names and no size', { files: [{ filename: 'drive.img.fidx' }, { filename: 'index.json.blob' }] }, false],
  ['names and nulls', { files: [{ filename: 'index.json.blob', size: null, 'crypt-mode': null }], size: null }, false],
  ['a size', { files: [{ filename: 'index.json.blob' }], size: 5 }, true],
  ['a mode of a file', { files: [{ filename: 'index.json.blob', 'crypt-mode': 'none' }] }, true],
  ['a note', { files: [{ filename: 'index.json.blob' }], comment: 'x' }, true],
  ['a verification', { files: [{ filename: 'index.json.blob' }], verification: {} }, true],
  ['no manifest, which is one that runs', { files: [{ filename: 'drive.img.fidx' }] }, true],
  ['no files', { files: [] }, true],
])('a manifest that PBS could read: %s', (_, snapshot, expected) => {
  expect(hasReadableManifest(snapshot)).toBe(expected)
})

test('the time of a verification is the start of its task', () => {
  const upid = 'UPID:pbs1:000003F2:00001A2B:00000021:6A1A6ED0:verificationjob:tank:root@pam:'
  expect(verifiedAt({ upid })).toBe(1780117200)
  expect(verifiedAt({ upid: 'gone' })).toBeNull()
  expect(verifiedAt(null)).toBeNull()
})
