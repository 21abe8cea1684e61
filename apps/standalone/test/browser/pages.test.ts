import { finishedSnapshot, type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newHome, type RunningSystem, startSystem } from '../support/running-system.ts'
import { startBrowser, type TestBrowser } from './browser.ts'
import { addEvents } from './eventful-fleet.ts'
import { pageFaults } from './page-faults.ts'

const backup = { ns: 'team/a', backupType: 'vm', backupId: '4711' } as const
const note = '<script>alert("note")</script> "quoted" <b>'

/** A server with one snapshot that is easy to find, and whose note would run if anything let it. */
async function startServer(): Promise<Simulator> {
  const server = await startSimulator({ name: 'pbs-browser', snapshots: 60, seed: 5, failureDelayMs: 0 })
  const store = server.state.datastores[0]?.name ?? ''
  server.addNamespace(store, backup.ns)
  server.addSnapshot({ store, ...backup }, { ...finishedSnapshot(1_790_000_000), notes: note })
  return server
}

const root = '/plugins/pbs/'

/** The path of a page with its ids left out: pages of one shape are drawn by the same code. */
const shapeOf = (path: string): string => path.replaceAll(/\/\d+(?=\/)/g, '/:id')

const everyShape = [
  ...['', 'branches/', 'branches/:id/', 'branches/:id/changes/', 'branches/:id/conflicts/', 'branches/add/'],
  ...['datastores/', 'datastores/:id/', 'groups/', 'groups/:id/', 'held/', 'jobs/', 'jobs/:id/'],
  ...['namespaces/', 'namespaces/:id/', 'servers/', 'servers/:id/', 'servers/add/', 'settings/'],
  ...['snapshots/', 'snapshots/:id/', 'sync-runs/', 'sync-runs/:id/', 'tasks/', 'tasks/:id/'],
].map((path) => `${root}${path}`)

const linksOf = (page: Page): Promise<ReadonlyArray<string>> =>
  page.evaluate<ReadonlyArray<string>>(
    `[...document.querySelectorAll('a[href^="${root}"]')].map((link) => new URL(link.href).pathname)`,
  )

const row = (page: Page, text: string) => page.locator('tbody tr').filter({ hasText: text })

describe('in a real browser', () => {
  let server: Simulator
  let system: RunningSystem
  let browser: TestBrowser | undefined

  beforeAll(async () => {
    server = await startServer()
    system = await startSystem(newHome({}))
  })
  afterAll(async () => {
    await browser?.close()
    await system?.stop()
    await server?.close()
  })

  test('an operator signs in by the link, connects a server, syncs it and finds its snapshots', async () => {
    browser = await startBrowser()
    const page = await browser.context.newPage()

    await page.goto(system.signInUrl)
    await page.getByRole('button', { name: 'Sign in with this link' }).click()
    expect(new URL(page.url()).pathname).toBe('/plugins/pbs/')

    await page.getByRole('link', { name: 'Add a server' }).click()
    await page.getByLabel('Name').fill('pbs-browser')
    await page.getByLabel('Host').fill(server.host)
    await page.getByLabel('Port').fill(String(server.port))
    await page.getByLabel('Token id').fill(server.tokens.audit.tokenId)
    await page.getByLabel('Token secret').fill(server.tokens.audit.secret)
    await page.getByLabel('Fingerprint').fill(server.fingerprint)
    await page.getByRole('button', { name: 'Add server' }).click()
    await page.getByRole('heading', { name: 'pbs-browser', level: 1 }).waitFor()
    expect(await page.getByText('Credentials stored').count()).toBe(1)
    expect(await page.content()).not.toContain(server.tokens.audit.secret)

    await page.getByRole('button', { name: 'Sync this server' }).click()
    // The page follows the run without a reload.
    await page.getByRole('status').getByText('completed').waitFor({ timeout: 60_000 })

    await page.getByRole('link', { name: 'Snapshots', exact: true }).click()
    await page.getByRole('searchbox').fill(backup.backupId)
    await page.waitForURL('**/snapshots/?q=4711')
    await row(page, '4711').first().waitFor()
    expect(await page.locator('tbody tr').count()).toBe(1)
    expect(await row(page, '4711').textContent()).toContain(note)

    await page.getByRole('link', { name: '4711' }).click()
    await page.getByRole('heading', { name: /^vm\/4711\// }).waitFor()
    expect(await page.getByText(note).count()).toBe(1)
    expect(await page.getByRole('table').filter({ hasText: 'Backup id' }).textContent()).toContain(backup.ns)

    await page.getByRole('link', { name: 'REST API' }).click()
    await page.getByRole('heading', { name: 'REST API', level: 1 }).waitFor()
    await page.setViewportSize({ width: 390, height: 800 })
    await page.getByRole('link', { name: 'GET /api/plugins/pbs/snapshots/', exact: true }).click()
    await page.getByRole('heading', { name: 'List snapshots', level: 1 }).waitFor()
    // Tables and examples scroll by themselves where a phone is too narrow for them.
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390)

    expect(browser.problems).toEqual([])
  })

  test('without a script one signs in by token and reads a list', async () => {
    const plain = await startBrowser({ javaScriptEnabled: false })
    try {
      const page = await plain.context.newPage()
      await page.goto(`${system.url}/plugins/pbs/snapshots/?ordering=-backup_time&limit=25`)
      await page.getByLabel('API token').fill(system.token)
      await page.getByRole('button', { name: 'Sign in with this token' }).click()
      await page.getByRole('heading', { name: 'Snapshots' }).waitFor()
      expect(await page.locator('tbody tr').count()).toBe(25)

      await page.getByRole('link', { name: 'Next page' }).click()
      await page.waitForURL('**/snapshots/?*offset=25*')
      expect(await page.getByRole('status').textContent()).toContain('Showing 26–50')

      await page.getByRole('searchbox').fill(backup.backupId)
      await page.getByRole('button', { name: 'Search' }).click()
      await page.waitForURL('**/snapshots/?*q=4711*')
      expect(await page.locator('tbody tr').count()).toBe(1)
      expect(plain.problems).toEqual([])
    } finally {
      await plain.close()
    }
  })

  test('on no page anything scrolls sideways, and axe finds nothing in either theme', async () => {
    const servers = await addEvents(system)
    const watched = await startBrowser()
    try {
      const page = await watched.context.newPage()
      const faults: Array<string> = []
      const visit = async (path: string) => {
        await page.setViewportSize({ width: 1280, height: 800 })
        await page.goto(`${system.url}${path}`)
        faults.push(...(await pageFaults(page)).map((fault) => `${path}: ${fault}`))
      }
      await visit(`${root}login/`)
      await page.getByLabel('API token').fill(system.token)
      await page.getByRole('button', { name: 'Sign in with this token' }).click()
      const seen = new Set<string>()
      const waiting = [root]
      for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
        if (seen.has(shapeOf(path))) continue
        seen.add(shapeOf(path))
        await visit(path)
        waiting.push(...(await linksOf(page)))
      }
      for (const query of ['snapshots/?q=nothing', 'snapshots/?server=unknown', 'servers/?status=unreachable&nope=1'])
        await visit(`${root}${query}`)
      expect(faults).toEqual([])
      expect([...seen].toSorted()).toEqual(everyShape)
      // The only page that is asked for what is wrong is answered with a 400, which the console reports.
      expect(watched.problems.filter((problem) => !problem.includes('server=unknown'))).toEqual([])
    } finally {
      await watched.close()
      for (const other of servers) await other.close()
    }
  }, 180_000)
})
