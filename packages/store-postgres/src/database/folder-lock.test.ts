import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Effect } from 'effect'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DataFolderInUse } from './errors.ts'
import { lockFolder } from './folder-lock.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netbox-pbs-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const lockAndRelease = () => Effect.runPromise(Effect.scoped(lockFolder(folder)))

test('a second opening in the same process is refused, and allowed after the first has ended', async () => {
  const second = await Effect.runPromise(
    Effect.scoped(Effect.andThen(lockFolder(folder), Effect.flip(Effect.scoped(lockFolder(folder))))),
  )
  expect(second).toEqual(new DataFolderInUse({ folder, pid: process.pid }))
  await lockAndRelease()
  expect(readdirSync(folder)).toEqual([])
})

test('the lock of a living process is respected', async () => {
  writeFileSync(join(folder, 'netbox-pbs.lock'), `${process.ppid} \n`)
  const rejected = await Effect.runPromise(Effect.flip(Effect.scoped(lockFolder(folder))))
  expect(rejected).toEqual(new DataFolderInUse({ folder, pid: process.ppid }))
})

test.each([
  ['a process that is gone', '4194303 1\n'],
  ['a pid that another process uses by now', `${process.ppid} 1\n`],
  ['a predecessor with our own pid', `${process.pid} 1\n`],
  ['no process', 'rubbish\n'],
])('the lock of %s is taken over', async (_, content) => {
  writeFileSync(join(folder, 'netbox-pbs.lock'), content)
  await lockAndRelease()
  expect(readdirSync(folder)).toEqual([])
})
