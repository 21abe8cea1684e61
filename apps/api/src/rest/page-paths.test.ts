import { expect, test } from 'vitest'
import { ownPath } from './page-paths.ts'

test.each([
  ['/plugins/pbs/snapshots/?q=a&limit=25', '/plugins/pbs/snapshots/?q=a&limit=25'],
  ['/plugins/pbs/', '/plugins/pbs/'],
  [undefined, '/plugins/pbs/'],
  ['', '/plugins/pbs/'],
  ['https://evil.example/plugins/pbs/', '/plugins/pbs/'],
  ['//evil.example/plugins/pbs/', '/plugins/pbs/'],
  ['/\\evil.example/plugins/pbs/', '/plugins/pbs/'],
  ['/plugins/pbs/../../evil/', '/plugins/pbs/'],
  ['/plugins/pbs/%2e%2e/%2e%2e/evil/', '/plugins/pbs/'],
  ['/plugins/pbs/..\\..\\\\evil.example', '/plugins/pbs/'],
  ['/plugins/pbs/\r\nSet-Cookie: a=b', '/plugins/pbs/Set-Cookie:%20a=b'],
  ['/plugins/pbsx/', '/plugins/pbs/'],
  ['javascript:alert(1)', '/plugins/pbs/'],
])('after signing in, next=%j leads to %s', (next, path) => {
  expect(ownPath(next)).toBe(path)
})
