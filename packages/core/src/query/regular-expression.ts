/** The longest regular expression of a filter, in characters. */
const maxPattern = 255

/**
 * The most characters that one may stand for when its counted repetitions are written out: the time to
 * read `(?:(?:a?){n}){n}` grows with the third power of that, half a second at 200 and minutes at 900.
 */
const maxExpanded = 255

/** Flavours and options of PostgreSQL that change what the rest means, such as `***=` and `(?q)`. */
const otherFlavour = /^(?:\*\*\*|\(\?[a-z]*(?:b|e|q|x))/

/**
 * Why a regular expression is refused before the database sees it; null: it is not. PostgreSQL matches in
 * time linear in text and expression, except for references back to a group and for lookarounds within
 * one another, and an expression grows with its counted repetitions, which may be nested. Whether its
 * syntax is right is for the database to say.
 */
export function patternFault(pattern: string): string | null {
  if (pattern.length > maxPattern) {
    return `Ensure this value has at most ${maxPattern} characters (it has ${pattern.length}).`
  }
  if (otherFlavour.test(pattern)) return 'A regular expression cannot be of another flavour here.'
  const size = expandedSize(pattern)
  if (typeof size === 'string') return `A regular expression cannot have ${size} here.`
  return size > maxExpanded ? `A regular expression cannot stand for more than ${maxExpanded} characters here.` : null
}

const token =
  /\\(?<escaped>[\s\S]?)|\[\^?\]?(?:\[(?<kind>[:.=])[\s\S]*?\k<kind>\]|\\[\s\S]|[^\]\\])*\]?|\{(?<low>\d+)(?<more>,(?<high>\d*))?\}|(?<opening>\((?:\?(?:(?<look><?[=!])|:))?)|(?<sign>[)*+?|])|[\s\S]/g

/** A group that is being read: its size so far, and that of its last part, which a repetition would repeat. */
interface Group {
  readonly looks: boolean
  size: number
  last: number
}

/** How many characters an expression stands for with its repetitions written out, or what it may not have. */
function expandedSize(pattern: string): number | 'references back to a group' | 'lookarounds within one another' {
  let group: Group = { looks: false, size: 0, last: 0 }
  const outer: Array<Group> = []
  for (const { groups: { escaped, low, more, high, opening, look, sign } = {} } of pattern.matchAll(token)) {
    if (escaped !== undefined && /[1-9]/.test(escaped)) return 'references back to a group'
    if (opening !== undefined) {
      const looks = look !== undefined
      if (looks && [...outer, group].some((around) => around.looks)) return 'lookarounds within one another'
      outer.push(group)
      group = { looks, size: 0, last: 0 }
    } else if (low !== undefined) {
      const times = high ? Number(high) : Number(low) + (more === undefined ? 0 : 1)
      group.size += group.last * Math.max(0, times - 1)
      group.last *= Math.max(1, times)
    } else if (sign === undefined || sign === ')') {
      const size = sign === undefined ? 1 : Math.max(1, group.size)
      if (sign === ')') group = outer.pop() ?? group
      group.size += size
      group.last = size
    }
  }
  return [...outer, group].reduce((sum, { size }) => sum + size, 0)
}
