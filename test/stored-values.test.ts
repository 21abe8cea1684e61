import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { checks } from '../packages/store-postgres/src/verification/checks.ts'

test('docs/verify.md has every check of stored values, with its table and rule', () => {
  const page = readFileSync(new URL('../docs/verify.md', import.meta.url), 'utf8')
  const [, rows = ''] = page.split('| check | table | rule |\n| --- | --- | --- |\n')
  const expected = checks.map(
    ({ name, table, rule, repair }) =>
      `| \`${name}\`${typeof repair === 'string' ? ' ✗' : ''} | \`${table}\` | ${rule} |`,
  )
  expect(rows.split('\n\n')[0]?.split('\n')).toEqual(expected)
})

test('each check has a name of its own', () => {
  expect(new Set(checks.map(({ name }) => name)).size).toBe(checks.length)
})
