import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { prepareFolder } from './support/homes.ts'
import { netboxPbs, netboxPbsOnTerminal, SystemProcess } from './support/process.ts'

// Real processes on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 300_000 })

let folder: string
const running: Array<SystemProcess> = []
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netbox-pbs-verify-'))
  await prepareFolder(join(folder, 'data'))
})
afterAll(() => {
  for (const process of running) process.kill()
  rmSync(folder, { recursive: true, force: true })
})

const at = (): ReadonlyArray<string> => ['--data-dir', join(folder, 'data')]

async function start(): Promise<SystemProcess> {
  const fleet = ['--demo', '--demo-servers', '2', '--demo-snapshots', '200', '--seed', '7']
  const process = SystemProcess.start('netbox-pbs', ['start', '--port', '0', '--gateway-port', '0', ...fleet, ...at()])
  running.push(process)
  await process.line(/^netbox-pbs ready: /)
  return process
}

/** Changes the database of a system that does not run. */
async function change(statement: string): Promise<void> {
  const db = await PGlite.create(join(folder, 'data/database'))
  try {
    await db.exec(statement)
  } finally {
    await db.close()
  }
}

interface Checks {
  readonly checks: ReadonlyArray<{ readonly name: string; readonly rows: number; readonly different: number }>
}

const spoil = `
  update groups set total_size = 1 where id = (select min(id) from groups);
  update jobs set missing_since = now() where id = (select min(id) from jobs)`

test('stored values of a running demo are verified, and repaired after a question', async () => {
  const first = await start()
  const clean = await netboxPbs(['verify', '--json', ...at()])
  expect(clean).toMatchObject({ code: 0, stderr: '' })
  const { checks } = JSON.parse(clean.stdout) as Checks // border: a test reads what it asserts
  expect(checks.find(({ name }) => name === 'groups.counters')?.rows).toBeGreaterThan(10)
  expect(checks.filter(({ different }) => different > 0)).toEqual([])
  await first.stop()

  await change(spoil)
  // Without a system the command opens the folder itself.
  const found = {
    code: 1,
    stdout: expect.stringMatching(/groups\.counters: .*\n {2}1\/.* total_size: stored 1, by its rows \d+\n/),
    stderr: '2 rows of groups.counters, jobs.missing_since differ: "netbox-pbs repair" computes them again\n',
  }
  expect(await netboxPbs(['verify', ...at()])).toEqual(found)

  const second = await start()
  expect(await netboxPbs(['verify', ...at()])).toEqual(found)
  expect(await netboxPbs(['repair', ...at()])).toEqual({
    code: 2,
    stdout: '',
    stderr:
      'Compute 2 rows of groups.counters, jobs.missing_since again? There is no terminal to ask on: add --yes to confirm\n',
  })
  expect(await netboxPbsOnTerminal(['repair', ...at()], 'n\n')).toMatchObject({
    code: 2,
    shown: expect.stringMatching(/again\? \[y\/N\][\s\S]*nothing was changed/),
  })
  expect(await netboxPbs(['repair', '--yes', ...at()])).toEqual({
    code: 0,
    stdout: expect.stringMatching(
      /^groups\.counters: 1 row computed again: 1\/.*\njobs\.missing_since: 1 row computed again: .*\n$/,
    ),
    stderr: '',
  })
  expect(await netboxPbs(['verify', ...at()])).toMatchObject({ code: 0, stderr: '' })
  expect(await netboxPbs(['repair', ...at()])).toMatchObject({ code: 0, stderr: '' })
  const { stderr } = await second.stop()
  expect(stderr).toMatch(/level=info msg="stored values were computed again" .*check=groups\.counters .*rows=1/)
})

test('what nothing can repair is named with what to do, and is left as it is', async () => {
  await change('update runs set completed = null')
  const verified = await netboxPbs(['verify', ...at()])
  expect(verified).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/runs\.completed: .*\n[\s\S]*Cancel the run/),
  })
  expect(verified.stderr).toMatch(/of runs\.completed differ: see what to do above\n$/)
  expect(await netboxPbs(['repair', '--yes', ...at()])).toEqual(verified)
})

test('a folder without a database ends the commands with the exit code of what could not be checked', async () => {
  for (const command of ['verify', 'repair'])
    expect(await netboxPbs([command, '--data-dir', join(folder, 'nothing')])).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^there is no database in .*: name the data folder with --data-dir, or set DATABASE_URL\n$/,
      ),
    })
})
