import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Row, request } from '../support/rest.ts'
import { newHome, type RunningSystem, startSystem } from '../support/running-system.ts'

// pynetbox 7.8: the requests that its methods send, and the fields of the answers that it relies on.

let running: RunningSystem

beforeAll(async () => {
  running = await startSystem(newHome({}))
})
afterAll(async () => {
  await running.stop()
})

const python = process.env['NETBOX_PBS_PYTHON'] ?? 'python3'

/** Whether a Python with pynetbox is on this machine. */
const hasPynetbox = (() => {
  try {
    execFileSync(python, ['-c', 'import pynetbox'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

const expected = {
  version: '4.7',
  status: expect.arrayContaining(['netbox-version', 'plugins', 'python-version']),
  all: ['py-0', 'py-1', 'py-2', 'py-3', 'py-4'],
  pages: ['py-0', 'py-1', 'py-2', 'py-3', 'py-4'],
  length: 25,
  filter: ['py-1', 'py-3'],
  search: ['py-1', 'py-2', 'py-3', 'py-4'],
  lookup: ['py-2'],
  none: 0,
  get: ['py-0', true, null],
  count: [5, 25, 0],
  snapshot: ['vm/100/2026-05-01T02:00:00Z', 'py-0', 'vm', 'Virtual machine'],
  status_choice: ['unknown', 'Unknown'],
  saved: [true, '192.0.2.77'],
  saved_rows: [443, 8443],
  updated: [true, false],
  fresh: [true, 8443],
  choices: ['unknown', 'reachable', 'unreachable'],
  threads: 25,
  cursor: 25,
  strict: 1,
  strict_bogus: true,
  in_branch: '192.0.2.99',
  in_main: '192.0.2.77',
  taken: [400, { name: ['server with this name already exists.'] }],
  deleted: [true, true],
  left: ['py-0'],
}

// Python may be missing: then the requests below, which need no Python, are the only evidence.
describe.skipIf(!hasPynetbox)('the real pynetbox', () => {
  test('works on a fresh system as on a NetBox', async () => {
    const fresh = await startSystem(newHome({}))
    try {
      const walk = fileURLToPath(new URL('./pynetbox-walk.py', import.meta.url))
      const child = spawn(python, [walk, fresh.url, fresh.token], { stdio: ['ignore', 'pipe', 'pipe'] })
      let [output, errors] = ['', '']
      child.stdout.on('data', (chunk) => {
        output += chunk
      })
      child.stderr.on('data', (chunk) => {
        errors += chunk
      })
      await once(child, 'close')
      expect(errors).toBe('')
      expect(JSON.parse(output)).toEqual(expected)
    } finally {
      await fresh.stop()
    }
  })
})

const servers = '/api/plugins/pbs/servers/'
const named = (name: string) => ({ name, host: '192.0.2.1', token_id: 'root@pam!walk' })

interface Page {
  readonly count: number | null
  readonly next: string | null
  readonly results: ReadonlyArray<Row>
}

const json = async <A>(method: string, path: string, body?: unknown): Promise<A> =>
  (await request(running, method, path, body)).json as A // border: a test reads what it asserts

/** Pages as pynetbox follows them: the links verbatim. */
async function following(path: string): Promise<ReadonlyArray<Row>> {
  const rows: Array<Row> = []
  for (let next: string | null = path; next !== null; ) {
    const page: Page = await json('GET', next)
    rows.push(...page.results)
    next = page.next
  }
  return rows
}

describe('the requests of pynetbox', () => {
  let made: ReadonlyArray<Row>

  beforeAll(async () => {
    made = await json('POST', servers, ['a', 'b', 'c', 'd', 'e'].map(named))
  })

  test('create() of a list answers a list, of an object an object', async () => {
    expect(made.map((row) => row['name'])).toEqual(['a', 'b', 'c', 'd', 'e'])
    const { status, json: one } = await request(running, 'POST', servers, named('f'))
    expect([status, (one as Row)['name']]).toEqual([201, 'f'])
  })

  test('all() asks for the most rows, then for the rest by number', async () => {
    const { count, results } = await json<Page>('GET', `${servers}?limit=0`)
    expect([count, results.length]).toEqual([6, 6])
    expect(await following(`${servers}?limit=4`)).toHaveLength(6)
    const past = await json<Page>('GET', `${servers}?limit=6&offset=6`)
    expect(past).toMatchObject({ count: 6, next: null, results: [] })
  })

  test('filter() repeats a parameter, and says booleans and None as Python does', async () => {
    const found = await json<Page>('GET', `${servers}?q=192&name=a&name=c&verify_ssl=True&limit=0`)
    expect(found.results.map((row) => row['name'])).toEqual(['a', 'c'])
  })

  test('get() of an id reads the detail, and takes 404 for None', async () => {
    expect(await json('GET', `${servers}${made[0]?.id}/`)).toMatchObject({ name: 'a' })
    expect((await request(running, 'GET', `${servers}999999/`)).status).toBe(404)
  })

  test('count() reads the count of one brief row', async () => {
    expect((await json<Page>('GET', `${servers}?limit=1&brief=1`)).count).toBe(6)
  })

  test('update() and save() send the changed keys', async () => {
    const changed = await json<ReadonlyArray<Row>>('PATCH', servers, [
      { id: made[1]?.id, port: 443 },
      { id: made[0]?.id, port: 8443 },
    ])
    expect(changed.map((row) => [row['name'], row['port']])).toEqual([
      ['a', 8443],
      ['b', 443],
    ])
    expect(await json('PATCH', `${servers}${made[2]?.id}/`, { port: 80 })).toMatchObject({ name: 'c', port: 80 })
  })

  test('choices() come from the metadata of writes', async () => {
    const { actions } = await json<{ actions: { POST: { status: { choices: ReadonlyArray<object> } } } }>(
      'OPTIONS',
      servers,
    )
    expect(actions.POST.status.choices).toContainEqual({ value: 'reachable', display_name: 'Reachable' })
  })

  test('threads read pages at once, one of them past the end', async () => {
    const pages = await Promise.all(
      [0, 2, 4, 6].map((offset) => json<Page>('GET', `${servers}?limit=2&offset=${offset}`)),
    )
    expect(pages.flatMap(({ results }) => results.map((row) => row['name']))).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  })

  test('a cursor begins at 0 and follows the links', async () => {
    expect(await following(`${servers}?limit=4&start=0`)).toHaveLength(6)
  })

  test('a branch is named by its schema_id in a header', async () => {
    const branch = await json<{ schema_id: string }>('POST', '/api/plugins/pbs/branches/', { name: 'walk' })
    const response = await fetch(new URL(`${servers}${made[0]?.id}/`, running.url), {
      method: 'PATCH',
      headers: {
        Authorization: `Bearer ${running.token}`,
        'Content-Type': 'application/json',
        'X-NetBox-Branch': branch.schema_id,
      },
      body: JSON.stringify({ host: '192.0.2.99' }),
    })
    expect([response.status, ((await response.json()) as Row)['host']]).toEqual([200, '192.0.2.99'])
    expect(await json('GET', `${servers}${made[0]?.id}/`)).toMatchObject({ host: '192.0.2.1' })
  })

  test('the document and the root are open, and the root says its version', async () => {
    const root = await fetch(new URL('/api/', running.url))
    expect([200, 403]).toContain(root.status)
    expect(root.headers.get('api-version')).toBe('4.7')
    const { paths } = (await (await fetch(new URL('/api/schema/', running.url))).json()) as {
      paths: Record<string, { get: { parameters: ReadonlyArray<{ name: string }> } }>
    }
    expect(paths[servers]?.get.parameters.map(({ name }) => name)).toContain('name')
  })

  test('delete() of rows names their ids, of a record its path', async () => {
    expect(
      (
        await request(
          running,
          'DELETE',
          servers,
          made.slice(1).map(({ id }) => ({ id })),
        )
      ).status,
    ).toBe(204)
    expect((await request(running, 'DELETE', `${servers}${made[0]?.id}/`)).status).toBe(204)
    expect((await json<Page>('GET', servers)).results.map((row) => row['name'])).toEqual(['f'])
  })
})
