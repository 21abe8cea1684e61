import { readFlags } from '@netbox-pbs/app-shell'
import { Effect } from 'effect'
import { expect, test } from 'vitest'
import { benchCommand } from '../src/benchmarks.ts'

const mistake = (...args: ReadonlyArray<string>): string =>
  Effect.runSync(
    Effect.flip(
      readFlags(
        benchCommand(() => undefined),
        args,
      ),
    ),
  ).message

test.each([
  [['nothing'], 'unknown command \'nothing\'; see "bench --help"'],
  [[], 'say what to do: "bench --help" lists the commands'],
  [
    ['branch', '--changes', '1000,none'],
    "option '--changes <numbers>' argument '1000,none' is invalid. It must be a whole number from 1 to 9007199254740991; see \"bench branch --help\"",
  ],
  [
    ['ingest', '--store', 'sqlite'],
    "option '--store <store>' argument 'sqlite' is invalid. Allowed choices are pg, pglite; see \"bench ingest --help\"",
  ],
])('%j is refused with the flag and the fix', (args, message) => {
  expect(mistake(...args)).toBe(message)
})

test('the benchmark that is named is chosen, and nothing is measured yet', () => {
  const chosen: Array<unknown> = []
  Effect.runSync(
    readFlags(
      benchCommand((results) => chosen.push(results)),
      ['diff', '--rows', '1000'],
    ),
  )
  expect(chosen).toHaveLength(1)
})
