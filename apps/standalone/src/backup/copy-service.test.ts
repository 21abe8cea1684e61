import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Database } from '@netbox-pbs/store-postgres'
import { type Context, Effect, Exit, Layer, Scope } from 'effect'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { askForCopy, serveCopies } from './copy-service.ts'
import { writeArchive } from './write-archive.ts'

let folder: string
/** Of the database, and of the service of one test. */
let outer: Scope.CloseableScope
let scope: Scope.CloseableScope
let database: Context.Context<Database>
const open = () => Effect.runPromise(Scope.make())
const close = (opened: Scope.CloseableScope) => Effect.runPromise(Scope.close(opened, Exit.void))

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netbox-pbs-copies-'))
  outer = await open()
  database = await Effect.runPromise(Scope.extend(Layer.build(Database.layerPglite({ dataDir: folder })), outer))
})
beforeEach(async () => {
  scope = await open()
})
afterEach(() => close(scope))
afterAll(async () => {
  await close(outer)
  rmSync(folder, { recursive: true, force: true })
})

const serve = (reason: string | null = null) =>
  serveCopies({ dataDir: folder, keysElsewhere: [], reason }).pipe(
    Effect.provide(database),
    Scope.extend(scope),
    Effect.runPromise,
  )
const copies = () => readdirSync(folder).filter((name) => name.startsWith('backup-'))

test('who does not show the key gets nothing', async () => {
  const { address, key } = await serve()
  for (const Authorization of ['', `Bearer ${key.slice(1)}x`, key])
    expect((await fetch(address, { method: 'POST', headers: { Authorization } })).status).toBe(403)
  expect((await fetch(address, { headers: { Authorization: `Bearer ${key}` } })).status).toBe(403)
  expect(copies()).toEqual([])
})

test('why there is no copy is told', async () => {
  const address = await serve('the database is elsewhere')
  expect(await Effect.runPromise(Effect.flip(Effect.scoped(askForCopy(address))))).toMatchObject({
    message: 'the database is elsewhere',
  })
})

test('a copy is there until it is given back', async () => {
  const address = await serve()
  await Effect.runPromise(
    Effect.scoped(
      Effect.map(askForCopy(address), ({ folder: copy, released }) => {
        expect(existsSync(join(copy, 'database/PG_VERSION'))).toBe(true)
        expect(released.aborted).toBe(false)
      }),
    ),
  )
  await vi.waitFor(() => expect(copies()).toEqual([]))
})

test('a copy whose system has ended becomes no backup', async () => {
  const address = await serve()
  const file = join(folder, 'saved')
  const failed = await Effect.gen(function* () {
    const { folder: copy, released } = yield* askForCopy(address)
    yield* Scope.close(scope, Exit.void)
    const about = { made_at: '2026-05-01T02:00:00Z', release: '0.0.0', keys_elsewhere: [] }
    return yield* Effect.flip(
      Effect.tryPromise(() =>
        writeArchive(file, { dataDir: folder, database: join(copy, 'database'), about, released }),
      ),
    )
  }).pipe(Effect.scoped, Effect.runPromise)
  expect(failed).toMatchObject({ _tag: 'UnknownException' })
  expect(readdirSync(folder).filter((name) => name.startsWith('saved'))).toEqual([])
})
