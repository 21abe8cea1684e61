import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import bundled from '@sparticuz/chromium'
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
