/**
 * Tabler is dark where an attribute says so, which takes a script. These are its dark rules once more, for pages without that attribute on a system
 * that prefers the dark: so it is dark there without a script too.
 */
export function systemDark(css: string): string {
  const rules = [...css.matchAll(/([^{}]+)\{([^{}]*)\}/g)].flatMap(([, selectors = '', body = '']) => {
    const dark = topLevel(selectors).filter((selector) => selector.startsWith(attribute))
    return dark.length === 0 ? [] : [`${dark.map((s) => s.replace(attribute, unset)).join(',')}{${body}}`]
  })
  return `@media (prefers-color-scheme:dark){${rules.join('')}}`
}

const attribute = '[data-bs-theme=dark]'
const unset = ':root:not([data-bs-theme])'

/** The selectors of a list; commas within parentheses do not part them. */
const topLevel = (selectors: string): ReadonlyArray<string> =>
  selectors.split(/,(?![^(]*\))/).map((selector) => selector.trim())
