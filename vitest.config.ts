import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import SystemFirst from './test/system-first.ts'

export default defineConfig({
  resolve: { conditions: ['source'] },
  // vitest gives these to Node itself as well: naming 'import' here would make require() load ES modules.
  ssr: { resolve: { conditions: ['source', 'node'] } },
  test: {
    // The log of a test is shown when it fails.
    silent: 'passed-only',
    reporters: ['default', './test/summary-reporter.ts'],
    include: ['{packages,apps,tools}/*/{src,test}/**/*.test.{ts,tsx}', '{bench/,}test/**/*.test.ts'],
    // One PostgreSQL server for the run, and the programs of bin/, for the first test that asks for them.
    globalSetup: ['packages/testing/src/global-setup.ts', 'test/build-programs.ts'],
    // Half of the tests wait for processes, so there are more files at a time than cores.
    maxWorkers: availableParallelism() + 1,
    // No test relies on fresh modules, and loading them and the embedded database for every file would
    // take a third of the time.
    isolate: false,
    // With a larger young generation garbage is collected less often.
    execArgv: ['--max-semi-space-size=64'],
    sequence: { sequencer: SystemFirst },
    // Only what hangs is ended by it: a slow machine takes several times as long as a quiet one.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
