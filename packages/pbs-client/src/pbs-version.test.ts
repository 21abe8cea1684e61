import { describe, expect, test } from 'vitest'
import { capabilitiesOf, compareReleases, parseRelease } from './pbs-version.ts'

test.each([
  ['4.2', '3', { major: 4, minor: 2, patch: 3 }],
  ['3.10', '12', { major: 3, minor: 10, patch: 12 }],
  ['3.2', null, { major: 3, minor: 2, patch: 0 }],
  ['3.2.4', null, { major: 3, minor: 2, patch: 4 }],
  ['2.2-7', null, { major: 2, minor: 2, patch: 7 }],
  ['4.2', '3~rc1', { major: 4, minor: 2, patch: 3 }],
  ['4.2', 'beta', { major: 4, minor: 2, patch: 0 }],
  ['next', '1', null],
  ['', '1', null],
])('release %s-%s', (version, release, expected) => {
  expect(parseRelease(version, release)).toEqual(expected)
})

test('compares as numbers, not as text', () => {
  const sorted = ['3.10', '3.9', '4.0', '3.9.1'].flatMap((text) => parseRelease(text) ?? []).sort(compareReleases)
  expect(sorted.map(({ major, minor, patch }) => `${major}.${minor}.${patch}`)).toEqual([
    '3.9.0',
    '3.9.1',
    '3.10.0',
    '4.0.0',
  ])
})

describe('what a release can do', () => {
  test.each([
    ['2.1', []],
    ['2.2', ['namespaces']],
    ['2.2.2', ['namespaces', 'pruneJobs']],
    ['3.1', ['namespaces', 'pruneJobs']],
    ['3.2', ['namespaces', 'pruneJobs', 'adminGc']],
    ['3.3', ['namespaces', 'pruneJobs', 'adminGc', 'syncDirection', 'mountStatus']],
    ['4.0', ['namespaces', 'pruneJobs', 'adminGc', 'syncDirection', 'mountStatus', 's3']],
    ['4.2', ['namespaces', 'pruneJobs', 'adminGc', 'syncDirection', 'mountStatus', 's3', 'backendType']],
    ['unreadable', ['namespaces', 'pruneJobs', 'adminGc', 'syncDirection', 'mountStatus', 's3', 'backendType']],
  ])('%s', (version, expected) => {
    const able = Object.entries(capabilitiesOf(parseRelease(version)))
    expect(able.flatMap(([name, can]) => (can ? [name] : []))).toEqual(expected)
  })
})
