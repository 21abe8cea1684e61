import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const key = Buffer.alloc(32, 7).toString('base64')

const start = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) =>
  new Promise<{ readonly code: number | null; readonly stderr: string }>((resolve, reject) => {
    const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', main, ...args], {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let stderr = ''
    child.stderr.on('data', (piece) => {
      stderr += String(piece)
    })
    child.on('error', reject)
    child.on('exit', (code) => resolve({ code, stderr }))
  })

test('wrong usage ends with 2 and one sentence', async () => {
  expect(await start(['--port', 'x'], {})).toEqual({
    code: 2,
    stderr:
      "option '--port <port>' argument 'x' is invalid. It must be a whole number from 0 to 65535; see \"start:api --help\"\n",
  })
})

test('a database that does not answer ends with 1, without its password', async () => {
  const closed = createServer()
  const port = await new Promise<number>((resolve) => {
    closed.listen(0, '127.0.0.1', () => {
      const address = closed.address()
      closed.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
  const url = `postgres://netbox:hunter2@127.0.0.1:${port}/netbox_pbs`
  const { code, stderr } = await start([], { DATABASE_URL: url, NETBOX_PBS_SECRET_KEY: key })
  expect(code).toBe(1)
  expect(stderr).toMatch(/^PostgreSQL at .* cannot be reached: .*\n$/)
  expect(stderr).not.toContain('hunter2')
})
