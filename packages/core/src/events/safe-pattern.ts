/** The longest pattern, in characters. */
const longestPattern = 200

/** A text beyond this many characters is not matched. */
const longestText = 256

/** How many ways a match may have to try, at most: a second is far more than it takes. */
const mostTries = 1_000_000

/**
 * A regular expression of a user that cannot take long. As `re.match` of Python does, it matches from
 * the beginning of a text. It may have characters, classes, alternatives, and groups that are not
 * repeated. Returns a sentence on what is wrong with any other pattern.
 */
export function safePattern(pattern: string): ((text: string) => boolean) | string {
  const wrong = whatIsSlow(pattern)
  if (wrong !== null) return wrong
  try {
    const compiled = new RegExp(`^(?:${pattern})`)
    return (text) => text.length <= longestText && compiled.test(text)
  } catch {
    return 'Enter a valid regular expression.'
  }
}

function whatIsSlow(pattern: string): string | null {
  if (pattern.length > longestPattern) return `A regular expression has at most ${longestPattern} characters.`
  // Without repeated groups, each repetition multiplies the tries by the length of the text, and each
  // choice by two.
  let tries = 1
  let inClass = false
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern[at]
    const next = pattern[at + 1]
    if (char === '\\') {
      at += 1
      if (/[1-9k]/.test(next ?? '')) return 'A regular expression may not refer back to a group.'
    } else if (inClass) inClass = char !== ']'
    else if (char === '[') inClass = true
    else if (char === '(' && next === '?') {
      if (pattern[at + 2] !== ':') return 'A regular expression may have plain groups only: (…) or (?:…).'
      at += 2
    } else if (char === ')' && next !== undefined && '*+{'.includes(next))
      return 'A group of a regular expression may not be repeated: it could take very long.'
    else if (char === '*' || char === '+' || char === '{') tries *= longestText
    else if (char === '|' || char === '?') tries *= 2
  }
  return tries > mostTries ? 'This regular expression could take very long: use fewer of *, +, ?, | and {…}.' : null
}
