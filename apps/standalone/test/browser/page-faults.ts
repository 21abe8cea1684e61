import axe from 'axe-core'
import type { Page } from 'playwright-core'

/** Rules of axe that depend on the theme. */
const ofColours = ['color-contrast', 'link-in-text-block']

/** Widths of windows that pages are made for: a small desktop and a phone. */
const widths = [1280, 390]

/** Without motion, so that a colour is what it becomes. */
async function setTheme(page: Page, colorScheme: 'light' | 'dark'): Promise<void> {
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
  await page.locator(`html[data-bs-theme=${colorScheme}]`).waitFor({ state: 'attached' })
}

/** Boxes that are wider than what contains them, the page itself included; each in words. */
async function wideBoxes(page: Page, width: number): Promise<ReadonlyArray<string>> {
  return page.evaluate<ReadonlyArray<string>>(`
    [document.documentElement, ...document.querySelectorAll('.table-responsive')]
      .filter((box) => box.scrollWidth > box.clientWidth)
      .map((box) => \`scrolls sideways at ${width}: \${box.ariaLabel ?? 'the page'} \${box.scrollWidth} of \${box.clientWidth}\`)`)
}

/** What axe finds; each violation in words, with the first element that has it. */
async function violations(
  page: Page,
  state: string,
  rules: ReadonlyArray<string> | null,
): Promise<ReadonlyArray<string>> {
  return page.evaluate<ReadonlyArray<string>>(`
    axe.run(document, ${JSON.stringify({ resultTypes: ['violations'], ...(rules === null ? {} : { runOnly: rules }) })}).then(({ violations }) =>
      violations.map(({ id, help, nodes }) => \`${state}: \${id}, \${help}: \${nodes.length} × \${nodes[0].html.slice(0, 200)} \${(nodes[0].any[0] ?? nodes[0].all[0] ?? nodes[0].none[0])?.message ?? ''}\`))`)
}

/**
 * What is wrong with the loaded page: it scrolls sideways on a desktop or a phone, or axe finds a
 * violation in the light or the dark theme.
 */
export async function pageFaults(page: Page): Promise<ReadonlyArray<string>> {
  const faults: Array<string> = []
  await page.evaluate(axe.source)
  for (const width of widths) {
    await page.setViewportSize({ width, height: 800 })
    faults.push(...(await wideBoxes(page, width)))
    for (const theme of width === 1280 ? (['dark', 'light'] as const) : (['light'] as const)) {
      await setTheme(page, theme)
      faults.push(...(await violations(page, `${theme} at ${width}`, theme === 'dark' ? ofColours : null)))
    }
  }
  return faults
}
