import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import bundled, { inflate } from '@sparticuz/chromium'
import { type BrowserContext, chromium, type Page } from 'playwright-core'

// The bundle's own flags would switch off rules under test, such as the same-origin policy.
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

/** The unpacked bundle: the browser, and libraries for machines without them. */
interface Unpacked {
  readonly executablePath: string
  readonly libraries: string
}

/**
 * Unpacks the bundle into a folder of our own. In the common one it would find, and trust, what a
 * run that was killed while unpacking has left.
 */
async function unpack(folder: string): Promise<Unpacked> {
  const build = dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium'))
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  try {
    const executablePath = await bundled.executablePath()
    return { executablePath, libraries: join(await inflate(join(build, '..', 'bin', 'al2023.tar.br')), 'lib') }
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
}

/** A Chromium with a profile of its own, gone with `close`. */
export interface TestBrowser {
  readonly context: BrowserContext
  /** Messages of its console: errors, violations of the policy, failures of scripts. */
  readonly problems: ReadonlyArray<string>
  readonly close: () => Promise<void>
}

/** Starts the Chromium that comes from npm. */
export async function startBrowser({ javaScriptEnabled = true } = {}): Promise<TestBrowser> {
  const profile = mkdtempSync(join(tmpdir(), 'netbox-pbs-browser-'))
  const folder = mkdtempSync(join(tmpdir(), 'netbox-pbs-chromium-'))
  const { executablePath, libraries } = await unpack(folder)
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: flags,
    env: { LD_LIBRARY_PATH: libraries },
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
      for (const used of [profile, folder]) rmSync(used, { recursive: true, force: true })
    },
  }
}
