import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Effect } from 'effect'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { commitRestore, finishRestore } from './finish-restore.ts'

const stageName = 'restore-00000000-0000-4000-8000-000000000000'

let folder: string
let stage: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netbox-pbs-restore-'))
  stage = join(folder, stageName)
  for (const [place, text] of [
    [folder, 'old'],
    [stage, 'new'],
  ] as const) {
    mkdirSync(join(place, 'database'), { recursive: true })
    for (const name of ['database/one', 'secret.key', 'token']) writeFileSync(join(place, name), text)
  }
  for (const name of ['run.json', 'demo.json', 'notes', 'database/two']) writeFileSync(join(folder, name), 'old')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const names = ['database', 'secret.key', 'token']

const content = () =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]),
  )

const restored = { 'database/one': 'new', 'secret.key': 'new', token: 'new', notes: 'old' }

test('a committed stage is the content of the folder, and what is not of a data folder stays', async () => {
  await commitRestore(stage, names)
  expect(content()).toEqual(restored)
  expect(readdirSync(folder)).not.toContain(stageName)
})

const journal = () => writeFileSync(join(folder, 'restore.json'), JSON.stringify({ stage: stageName, names }))
const move = (name: string) => {
  rmSync(join(folder, name), { recursive: true, force: true })
  renameSync(join(stage, name), join(folder, name))
}

test.each<[string, () => void]>([
  ['before the first move', () => undefined],
  ['when the old database is half removed', () => rmSync(join(folder, 'database/one'))],
  ['when the old database is removed', () => rmSync(join(folder, 'database'), { recursive: true })],
  ['after the first move', () => move('database')],
  ['after all moves', () => names.forEach(move)],
])('a restore that was interrupted %s is finished', async (_, interrupt) => {
  journal()
  interrupt()
  await Effect.runPromise(finishRestore(folder))
  expect(content()).toEqual(restored)
})

test('one that was interrupted before it was committed leaves what was there', async () => {
  writeFileSync(join(folder, 'restore.json.draft'), '{"stage":')
  const before = content()
  await Effect.runPromise(finishRestore(folder))
  expect(content()).toEqual(before)
})

test('a journal that names another folder is not followed', async () => {
  writeFileSync(join(folder, 'restore.json'), JSON.stringify({ stage: '..', names }))
  const before = content()
  expect(await Effect.runPromise(Effect.flip(finishRestore(folder)))).toMatchObject({ _tag: 'DataFolderUnusable' })
  expect(content()).toEqual(before)
})
