import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { apiCommand } from '../apps/api/src/config.ts'
import { gatewayCommand } from '../apps/gateway/src/config.ts'
import { startCommand } from '../apps/standalone/src/command-line/start-command.ts'
import { workerCommand } from '../apps/worker/src/config.ts'
import { defaultSettings } from '../packages/core/src/settings.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(`${root}docs/configuration.md`, 'utf8')

/** The rows of the table below a heading, as trimmed cells, without its head. */
const tableUnder = (heading: string): ReadonlyArray<ReadonlyArray<string>> => {
  const [, after = ''] = page.split(`\n## ${heading}\n`)
  const [section = ''] = after.split('\n## ')
  const rows = section.split('\n').filter((line) => line.startsWith('|'))
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

const named = (cell = ''): ReadonlyArray<string> => [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, name]) => name ?? [])

/** The flags that say how a program runs. */
const flagsOf = ({ options }: { readonly options: ReadonlyArray<{ readonly long?: string }> }): ReadonlyArray<string> =>
  options.flatMap(({ long }) => (long === undefined || long === '--version' ? [] : [long]))

test.each([
  ['start', 2, flagsOf(startCommand(() => {}))],
  ['start:api', 3, flagsOf(apiCommand())],
  ['start:gateway', 4, flagsOf(gatewayCommand())],
  ['start:worker', 5, flagsOf(workerCommand())],
] as const)('docs/configuration.md has the flags of %s', (_, column, flags) => {
  const documented = tableUnder('Flags').filter((cells) => cells[column] === 'yes')
  expect(documented.flatMap(([flag]) => named(flag)).toSorted()).toEqual(flags.toSorted())
})

test('docs/configuration.md has every variable that a program reads', () => {
  const sources = ['apps/api', 'apps/gateway', 'apps/standalone', 'apps/worker', 'packages/app-shell'].flatMap((pkg) =>
    readdirSync(`${root}${pkg}/src`, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
      .map((entry) => readFileSync(`${entry.parentPath}/${entry.name}`, 'utf8')),
  )
  const read = sources.flatMap((text) => text.match(/'(DATABASE_URL|NETBOX_PBS_[A-Z_]+)'/g) ?? [])
  const documented = tableUnder('Environment').flatMap(([variable]) => named(variable))
  expect(documented.toSorted()).toEqual([...new Set(read.map((quoted) => quoted.slice(1, -1)))].toSorted())
})

test('docs/configuration.md has every setting with the default of a new system', () => {
  const documented = tableUnder('Settings').flatMap(([names, defaults = '']) => {
    const each = defaults.replaceAll('`', '').split(', ')
    return named(names).map((name, at) => [name, each[at] ?? each[0]])
  })
  const stored = Object.entries(defaultSettings).map(([name, value]) => [name, String(value) || 'blank'])
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries([...stored, ['proxbox_api_key', 'blank']]))
})
