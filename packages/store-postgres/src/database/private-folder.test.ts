import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Effect, Layer } from 'effect'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Database } from './database.ts'
import { DataFolderUnusable } from './errors.ts'
import { makeContentsPrivate, makeFolders, makePrivateFolder } from './private-folder.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netbox-pbs-private-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

test("a folder that others may enter, and all that lies in it, becomes its owner's alone", async () => {
  const database = join(folder, 'database')
  mkdirSync(join(database, 'base'), { recursive: true })
  writeFileSync(join(database, 'base', '1'), 'rows')
  for (const [path, mode] of [
    [database, 0o755],
    [join(database, 'base'), 0o755],
    [join(database, 'base', '1'), 0o666],
  ] as const)
    chmodSync(path, mode)
  await makePrivateFolder(database)
  await makeContentsPrivate(database)
  expect([database, join(database, 'base'), join(database, 'base', '1')].map(modeOf)).toEqual(['700', '700', '600'])
})

test.each(['made by the operator', 'not there yet'])(
  'an embedded database in a folder that was %s is private',
  async (how) => {
    const dataDir = join(folder, 'data')
    if (how === 'made by the operator') {
      mkdirSync(dataDir)
      chmodSync(dataDir, 0o755)
    }
    await Effect.runPromise(Effect.scoped(Layer.build(Database.layerPglite({ dataDir }))))
    expect([modeOf(dataDir), modeOf(join(dataDir, 'database'))]).toEqual(['700', '700'])
    expect(modeOf(join(dataDir, 'database', 'PG_VERSION'))).toBe('600')
  },
)

test('a folder that is open to others and belongs to one of them is refused in a sentence', () => {
  const cause = Object.assign(new Error('EPERM: operation not permitted, chmod'), { code: 'EPERM' })
  expect(new DataFolderUnusable({ folder: '/srv/x', reason: 'files', cause }).message).toBe(
    'the data folder /srv/x is open to other users and belongs to one of them: make it your own, with mode 0700',
  )
})

test('folders are made with those above them, and one where none can be made fails at once', async () => {
  const path = join(folder, 'a', 'b', 'c')
  await Promise.all([makeFolders(path), makeFolders(path)])
  expect([join(folder, 'a'), path].map(modeOf)).toEqual(['700', '700'])
  await expect(makeFolders('/proc/none/here')).rejects.toMatchObject({ code: 'ENOENT' })
})
