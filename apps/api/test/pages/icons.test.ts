import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { iconNames } from '../../src/pages/components/icon.tsx'

const require = createRequire(import.meta.url)
const set = join(dirname(require.resolve('@tabler/icons/package.json')), 'icons', 'outline')

/** The paths of an icon of Tabler's set as a symbol; the style of the pages draws it. */
function symbol(name: string): string {
  const icon = readFileSync(join(set, `${name}.svg`), 'utf8')
  const paths = [...icon.matchAll(/<path d="([^"]+)" \/>/g)].map(([, d]) => `<path d="${d}"/>`)
  expect([name, paths.length > 0]).toEqual([name, true])
  return `<symbol id="${name}" viewBox="0 0 24 24">${paths.join('')}</symbol>`
}

test('the sprite has the icons of Tabler’s set that pages name; `vitest run -u` renews it', async () => {
  const sprite = `<svg xmlns="http://www.w3.org/2000/svg">\n${iconNames.map(symbol).join('\n')}\n</svg>\n`
  await expect(sprite).toMatchFileSnapshot('../../src/pages/assets/icons.svg')
})
