import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { createClient } from '@hey-api/openapi-ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fakeGateway } from '../support/fake-gateway.ts'
import { adminToken, startTestApi, type TestApi } from '../support/test-api.ts'

// A client in TypeScript, as @hey-api/openapi-ts generates it from the document that the system serves.

const root = fileURLToPath(new URL('../../../..', import.meta.url))
let api: TestApi
let folder: string

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
  folder = mkdtempSync(join(tmpdir(), 'netbox-pbs-client-'))
  const document = await (await fetch(new URL('/api/schema/', api.url))).json()
  writeFileSync(join(folder, 'openapi.json'), JSON.stringify(document))
  await createClient({
    input: join(folder, 'openapi.json'),
    output: { path: join(folder, 'client') },
    logs: { level: 'silent' },
    plugins: ['@hey-api/client-fetch', '@hey-api/typescript', '@hey-api/sdk'],
  })
  copyFileSync(fileURLToPath(new URL('./program.ts.txt', import.meta.url)), join(folder, 'program.ts'))
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await api.stop()
})

/** The compiler's errors in the client and a program; blank: there are none. */
function errorsOf(program: string): string {
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        strict: true,
        noUncheckedIndexedAccess: true,
        target: 'es2024',
        module: 'esnext',
        moduleResolution: 'bundler',
        lib: ['es2024', 'dom', 'dom.iterable'],
        types: [],
        skipLibCheck: true,
        noEmit: true,
      },
      files: [program],
    }),
  )
  try {
    execFileSync(process.execPath, [join(root, 'node_modules/tsc7/bin/tsc'), '-p', folder], { encoding: 'utf8' })
    return ''
  } catch (failed) {
    return String((failed as { stdout: string }).stdout)
  }
}

test('compiles strictly, and its program works against the system', async () => {
  expect(errorsOf('program.ts')).toBe('')
  const { walk }: { walk: (base: string, token: string) => Promise<unknown> } = await import(
    pathToFileURL(join(folder, 'program.ts')).href
  )
  expect(await walk(api.url, adminToken)).toEqual({
    created: ['pbs-a', 'vm'],
    found: ['pbs-a'],
    refused: { name: ['server with this name already exists.'] },
    missing: 404,
  })
})

test('does not compile with a field of the wrong type', () => {
  writeFileSync(
    join(folder, 'wrong.ts'),
    `import { pluginsPbsServersCreate } from './client'
     export const wrong = pluginsPbsServersCreate({ body: { name: 1, host: '192.0.2.1', token_id: 'a@pbs!b' } })`,
  )
  expect(errorsOf('wrong.ts')).toMatch(/wrong\.ts\(2,.*error TS/)
})
