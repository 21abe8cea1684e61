/** The inventory that a call is about: `main`, or the schema id of a branch. */
export type Place = string

/** What one client did with one object, and what it was told. Times are of one clock. */
export interface Call {
  readonly client: number
  readonly start: number
  readonly end: number
  readonly place: Place
  readonly object: number
  readonly kind: 'read' | 'create' | 'write' | 'delete'
  /** The text that a write or a creation sets, a different one each time. */
  readonly text: string | null
  /** The text of the version that `If-Match` names; undefined: the call names none. */
  readonly replaces?: string
  /** `refused`: 412. `missing`: 404. `unknown`: no answer, or one that leaves open whether it was done. */
  readonly outcome: 'done' | 'refused' | 'missing' | 'unknown'
  /** The text that a read was given. */
  readonly saw?: string
}

/** A merge of a branch into main. */
export interface Merge {
  readonly place: Place
  readonly start: number
  readonly end: number
  readonly outcome: 'done' | 'refused' | 'unknown'
}

/** An entry of main's change log, in the log's order. */
export interface LogEntry {
  readonly object: number
  readonly before: string | null
  readonly after: string | null
  /** What wrote it. */
  readonly author: 'user' | 'run' | 'merge'
}

/** All that was recorded of a time in which clients wrote at once. */
export interface History {
  readonly calls: ReadonlyArray<Call>
  readonly merges: ReadonlyArray<Merge>
  readonly log: ReadonlyArray<LogEntry>
  /** The text of each object of main that was there before. */
  readonly first: ReadonlyMap<number, string>
  /** The text of each object of main that is there at the end. */
  readonly last: ReadonlyMap<number, string>
}

/** One object's entries, and the calls about it in main. */
interface ObjectHistory {
  readonly object: number
  readonly entries: ReadonlyArray<LogEntry>
  readonly calls: ReadonlyArray<Call>
}

/** What a history shows that no order of its calls explains; nothing: it is consistent. */
export function checkHistory(history: History): ReadonlyArray<string> {
  const objects = [...new Set([...history.log, ...history.calls].map(({ object }) => object))].map(
    (object): ObjectHistory => ({
      object,
      entries: history.log.filter((entry) => entry.object === object),
      calls: history.calls.filter((call) => call.object === object && call.place === 'main'),
    }),
  )
  return [
    ...repeatedIds(history),
    ...objects.flatMap((one) => [
      ...brokenChain(one, history),
      ...wrongWrites(one),
      ...lostUpdates(one),
      ...wrongOrder(one),
      ...wrongReads(one, history),
    ]),
    ...leaks(history),
  ]
}

/** An id is given once, in main and in all branches. */
function repeatedIds({ calls, first }: History): ReadonlyArray<string> {
  const given = new Set(first.keys())
  return calls.flatMap(({ kind, outcome, object, client }) => {
    if (kind !== 'create' || outcome !== 'done') return []
    if (given.has(object)) return [`client ${client} was given the id ${object}, which was given before`]
    given.add(object)
    return []
  })
}

/** Each entry begins with the text that the one before it ends with; the last one has what is there. */
function brokenChain({ object, entries }: ObjectHistory, { first, last }: History): ReadonlyArray<string> {
  const found: Array<string> = []
  let text = first.get(object) ?? null
  for (const { before, after } of entries) {
    if (before !== text) found.push(`object ${object} was ${text}, and the log says that it was ${before}`)
    text = after
  }
  const end = last.get(object) ?? null
  if (end !== text) found.push(`object ${object} is ${end}, and the log ends with ${text}`)
  return found
}

const texts = (entries: ReadonlyArray<LogEntry>): ReadonlyArray<string | null> => entries.map(({ after }) => after)

/** A write that was answered is in the log once, one that was refused never, one in doubt at most once. */
function wrongWrites({ object, entries, calls }: ObjectHistory): ReadonlyArray<string> {
  const found: Array<string> = []
  for (const { kind, text, outcome, client } of calls) {
    if (kind !== 'write' && kind !== 'create') continue
    const count = texts(entries).filter((after) => after === text).length
    const [least, most] = outcome === 'done' ? [1, 1] : [0, outcome === 'unknown' ? 1 : 0]
    if (count < least || count > most)
      found.push(`${text} of client ${client}, which was ${outcome}, is ${count} times in the log of object ${object}`)
  }
  const deleted = entries.filter(({ after, author }) => after === null && author === 'user').length
  const deletions = calls.filter(({ kind }) => kind === 'delete')
  const sure = deletions.filter(({ outcome }) => outcome === 'done').length
  const possible = sure + deletions.filter(({ outcome }) => outcome === 'unknown').length
  if (deleted < sure || deleted > possible)
    found.push(`object ${object} was deleted ${deleted} times, and ${sure} deletions were answered`)
  const written = new Set(calls.map(({ text }) => text))
  for (const { after, author } of entries)
    if (author === 'user' && after !== null && !written.has(after))
      found.push(`no client wrote ${after} to object ${object}`)
  return found
}

/** A write that names a version replaces that version and no other. */
function lostUpdates({ object, entries, calls }: ObjectHistory): ReadonlyArray<string> {
  return calls.flatMap(({ kind, replaces, outcome, text, client }) => {
    if (replaces === undefined || outcome !== 'done') return []
    if (kind === 'delete') {
      const gone = entries.filter(({ after, author }) => after === null && author === 'user')
      return gone.some(({ before }) => before === replaces)
        ? []
        : [`client ${client} deleted ${object} as ${replaces}, and nothing in the log replaces that`]
    }
    const entry = entries.find(({ after }) => after === text)
    return entry === undefined || entry.before === replaces
      ? []
      : [`client ${client} replaced ${entry.before} of object ${object} by ${text}, and asked for ${replaces}`]
  })
}

/** A write that was answered before another began is before it in the log. */
function wrongOrder({ object, entries, calls }: ObjectHistory): ReadonlyArray<string> {
  const place = (call: Call) => texts(entries).indexOf(call.text)
  const writes = calls.filter(({ kind, outcome }) => (kind === 'write' || kind === 'create') && outcome === 'done')
  const found: Array<string> = []
  for (const one of writes)
    for (const other of writes)
      if (one.end < other.start && place(one) > place(other) && place(other) >= 0)
        found.push(`${one.text} was answered before ${other.text} began, and is after it in the log of ${object}`)
  return found
}

/**
 * A read of main sees a state from no earlier than the last write that was answered before it began,
 * and from no later than the last that began before it was answered.
 */
function wrongReads({ object, entries, calls }: ObjectHistory, { first }: History): ReadonlyArray<string> {
  // State 0 is before all entries, state n is after entry n.
  const states = [first.get(object) ?? null, ...texts(entries)]
  const writes = calls.filter(({ kind, outcome }) => kind !== 'read' && outcome !== 'refused' && outcome !== 'missing')
  const stateOf = ({ kind, text }: Call) => (kind === 'delete' ? states.lastIndexOf(null) : states.indexOf(text))
  return calls.flatMap((read) => {
    if (read.kind !== 'read' || (read.outcome !== 'done' && read.outcome !== 'missing')) return []
    const seen = read.outcome === 'missing' ? null : (read.saw ?? null)
    const before = writes.filter(({ outcome, end }) => outcome === 'done' && end < read.start).map(stateOf)
    const later = writes.filter(({ start }) => start > read.end).map(stateOf)
    const earliest = Math.max(0, ...before)
    const latest = Math.min(states.length, ...later.filter((state) => state > 0)) - 1
    const possible = states.slice(earliest, latest + 1)
    return possible.includes(seen)
      ? []
      : [`client ${read.client} read ${seen} of object ${object}, which was one of ${possible.join(', ')} at that time`]
  })
}

/** What is written in a branch is seen there only, and in main once the branch is merged. */
function leaks({ calls, merges }: History): ReadonlyArray<string> {
  const home = new Map<string, Place>()
  for (const { kind, text, place } of calls) if (kind !== 'read' && text !== null) home.set(text, place)
  const mergeOf = (place: Place) => merges.find((merge) => merge.place === place && merge.outcome !== 'refused')
  return calls.flatMap(({ kind, saw, place, end, client, object }) => {
    if (kind !== 'read' || saw === undefined) return []
    const from = home.get(saw)
    if (from === undefined || from === place || from === 'main') return []
    const merge = mergeOf(from)
    return merge !== undefined && merge.start <= end
      ? []
      : [`client ${client} read ${saw} of object ${object} in ${place}, and it was written in ${from}`]
  })
}
