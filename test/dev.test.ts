import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

let folder: string
let dev: ChildProcessWithoutNullStreams
let lines: AsyncIterator<string>

/**
 * Plays the demo: it has a lock, as a data folder has, and takes a while to end, in which a source
 * changes once more.
 */
const demo = `
import { existsSync, rmSync, writeFileSync } from 'node:fs'
const lock = new URL('../lock', import.meta.url)
if (existsSync(lock)) throw new Error('the one before has not ended')
writeFileSync(lock, '')
let signals = 0
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => {
  signals++
  if (signal === 'SIGTERM') writeFileSync(new URL('../packages/core/src/index.ts', import.meta.url), 'export {}')
  setTimeout(() => {
    rmSync(lock)
    process.stdout.write('ended by ' + signals + ' ' + signal + '\\n', () => process.exit(0))
  }, 500)
})
process.stdout.write('runs ' + process.argv.slice(2).join(' ') + '\\n')
setInterval(() => undefined, 1000)
`

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netbox-pbs-dev-'))
  for (const path of ['bin', 'packages/core/src']) mkdirSync(join(folder, path), { recursive: true })
  copyFileSync(fileURLToPath(new URL('../bin/dev.mjs', import.meta.url)), join(folder, 'bin/dev.mjs'))
  writeFileSync(join(folder, 'bin/run.mjs'), demo)
  dev = spawn(process.execPath, [join(folder, 'bin/dev.mjs'), '--port', '0'])
  lines = createInterface({ input: dev.stdout })[Symbol.asyncIterator]()
})
afterEach(() => {
  dev.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

const line = async (): Promise<string | undefined> => (await lines.next()).value
const changeSource = () => writeFileSync(join(folder, 'packages/core/src/index.ts'), '')

test('a source that changes ends the demo, and starts it when that has ended', async () => {
  expect(await line()).toBe('runs netbox-pbs start --demo --port 0')
  for (const _ of [1, 2]) {
    changeSource()
    expect(await line()).toBe('ended by 1 SIGTERM')
    expect(await line()).toBe('runs netbox-pbs start --demo --port 0')
  }
  dev.kill('SIGINT')
  expect(await line()).toBe('ended by 1 SIGINT')
})

test('Ctrl-C ends the demo and then the watch', async () => {
  await line()
  const ended = once(dev, 'exit')
  dev.kill('SIGINT')
  expect(await line()).toBe('ended by 1 SIGINT')
  expect(await ended).toEqual([0, null])
  expect(existsSync(join(folder, 'lock'))).toBe(false)
})
