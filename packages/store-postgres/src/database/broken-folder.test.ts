import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Effect, Layer } from 'effect'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { Database } from './database.ts'

// Making a database takes seconds on a busy machine.
vi.setConfig({ hookTimeout: 120_000, testTimeout: 120_000 })

const opening = (dataDir: string) => Effect.scoped(Effect.asVoid(Layer.build(Database.layerPglite({ dataDir }))))

/** A folder with a database, which each test copies. */
let whole: string
let dataDir: string
beforeAll(async () => {
  whole = mkdtempSync(join(tmpdir(), 'netbox-pbs-broken-'))
  await Effect.runPromise(opening(whole))
})
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'netbox-pbs-broken-'))
})
afterEach(() => rmSync(dataDir, { recursive: true }))
afterAll(() => rmSync(whole, { recursive: true }))

const copied = () => cpSync(join(whole, 'database'), join(dataDir, 'database'), { recursive: true })
const refusal = () => Effect.runPromise(Effect.map(Effect.flip(opening(dataDir)), String))

test('files that are no database are refused, and left as they are', async () => {
  const database = join(dataDir, 'database')
  mkdirSync(database)
  writeFileSync(join(database, 'notes.txt'), 'kept')
  expect(await refusal()).toContain(
    `${database} holds files but no whole database: if its first start was cut short, remove that folder; else name another --data-dir or restore a backup`,
  )
  expect([readdirSync(database), readFileSync(join(database, 'notes.txt'), 'utf8')]).toEqual([['notes.txt'], 'kept'])
})

test('a database that has lost the file of its version is not replaced by an empty one', async () => {
  copied()
  const database = join(dataDir, 'database')
  rmSync(join(database, 'PG_VERSION'))
  const before = readdirSync(database)
  expect(await refusal()).toContain('holds files but no whole database')
  expect(readdirSync(database)).toEqual(before)
})

test.each([
  ['of another version', 'PG_VERSION', '9.6\n'],
  ['that is damaged', join('global', 'pg_control'), 'no control file'],
])('a database %s does not start, and says what to do', async (_, name, content) => {
  copied()
  writeFileSync(join(dataDir, 'database', name), content)
  expect(await refusal()).toContain(
    `the database in ${join(dataDir, 'database')} does not start: it is damaged, of another PostgreSQL, or its disk is full; free space, or restore a backup`,
  )
})
