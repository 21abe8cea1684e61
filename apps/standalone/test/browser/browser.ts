import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import bundled, { inflate } from '@sparticuz/chromium'
import { type BrowserContext, chromium, type Page } from 'playwright-core'

// Not the bundle's own flags: they switch off what is tested here, such as the same-origin rules.
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** The libraries that the bundle brings for machines without them, as a folder. */
const libraries = async (): Promise<string> => {
  const build = dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium'))
  return join(await inflate(join(build, '..', 'bin', 'al2023.tar.br')), 'lib')
}

/** A Chromium with a profile of its own, gone with `close`. */
export interface TestBrowser {
  readonly context: BrowserContext
  /** What its console called an error, a violation of the policy, or a script's failure. */
  readonly problems: ReadonlyArray<string>
  readonly close: () => Promise<void>
}

/** Starts the Chromium that comes from npm. */
export async function startBrowser({ javaScriptEnabled = true } = {}): Promise<TestBrowser> {
  const profile = mkdtempSync(join(tmpdir(), 'netbox-pbs-browser-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: await bundled.executablePath(),
    args: flags,
    env: { LD_LIBRARY_PATH: await libraries() },
    javaScriptEnabled,
  })
  const problems: Array<string> = []
  const watch = (page: Page) => {
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) problems.push(`${page.url()}: ${message.text()}`)
    })
    page.on('pageerror', (error) => problems.push(`${page.url()}: ${error.message}`))
  }
  context.pages().forEach(watch)
  context.on('page', watch)
  return {
    context,
    problems,
    close: async () => {
      await context.close()
      rmSync(profile, { recursive: true, force: true })
    },
  }
}
