import { postgresUrl, type Template } from '../postgres-url.ts'
import { type DatabaseFault, databaseFaults, rowText } from './database-faults.ts'
import { postgresRelay } from './postgres-relay.ts'
import type { Statement } from './relayed-connection.ts'
import { type StateOptions, storedState, wrongCounters } from './stored-state.ts'

/** How an attempt at a work ended. `already`: the caller learns that an earlier attempt has done it. */
export type Attempt =
  | { readonly ended: 'done' | 'already' }
  /** `sentence`: what the caller is told. */
  | { readonly ended: 'failed'; readonly sentence: string }

/** A process that does the work, with connections of its own to the database. */
export interface WorkSession {
  /** Does the work once, as its caller does and does again after a failure. */
  readonly attempt: () => Promise<Attempt>
  /** The lines of its log. */
  readonly log: () => ReadonlyArray<string>
  readonly close: () => Promise<void>
}

/** A work on the database that faults are put into. */
export interface FaultedWork {
  readonly name: string
  /** The database before the work. */
  readonly template: Template
  /** Opens a session; nothing that it does before it is ready meets a fault. */
  readonly open: (url: string) => Promise<WorkSession>
  /**
   * Tables in which a failed attempt may leave something, by the beginning of their name; null: the
   * work is more than one transaction.
   */
  readonly staging: ReadonlyArray<string> | null
  /** Tables that may differ at the end, by the beginning of their name. */
  readonly history?: ReadonlyArray<string>
}

/** The work without a fault: its statements, and the states before and after it. */
export interface Faultless {
  readonly statements: ReadonlyArray<Statement>
  readonly before: ReadonlyArray<string> | null
  readonly after: ReadonlyArray<string>
  readonly between: ReadonlyArray<string> | null
}

/** Attempts after which a work that still fails counts as stuck. */
const mostAttempts = 6

const historyOf = ({ history = [] }: FaultedWork): StateOptions => ({ without: history })
const mainOf = ({ staging, history = [] }: FaultedWork): StateOptions | null =>
  staging === null ? null : { without: [...staging, ...history] }

const mainState = async (work: FaultedWork, url: string): Promise<ReadonlyArray<string> | null> => {
  const options = mainOf(work)
  return options === null ? null : await storedState(url, options)
}

/** Does the work once without a fault. */
export async function withoutFault(work: FaultedWork): Promise<Faultless> {
  const url = await postgresUrl(work.template)
  const before = await mainState(work, url)
  const relay = await postgresRelay(url)
  try {
    const session = await work.open(relay.url)
    relay.watch()
    const attempt = await session.attempt()
    const statements = relay.statements()
    await session.close()
    if (attempt.ended !== 'done') throw new Error(`${work.name} fails without a fault: ${JSON.stringify(attempt)}`)
    return { statements, before, between: await mainState(work, url), after: await storedState(url, historyOf(work)) }
  } finally {
    await relay.stop()
  }
}

/** What one fault has shown: nothing when all is well. */
export async function withFault(
  work: FaultedWork,
  expected: Faultless,
  { at, fault }: { readonly at: number; readonly fault: DatabaseFault },
): Promise<ReadonlyArray<string>> {
  const url = await postgresUrl(work.template)
  const relay = await postgresRelay(url)
  const found: Array<string> = []
  try {
    const session = await work.open(relay.url)
    relay.watch({ at, fault })
    const first = await session.attempt()
    const now = await relay.heal()
    if (first.ended === 'failed') found.push(...wordsOf(first.sentence))
    if (expected.before !== null) {
      const main = (await mainState(work, now)) ?? []
      if (!isSame(main, expected.before) && !(expected.between !== null && isSame(main, expected.between)))
        found.push(`a part of it stays: ${differences(expected.before, main)}`)
    }
    let last: Attempt = first
    for (let tries = 1; last.ended === 'failed' && tries < mostAttempts; tries++) last = await session.attempt()
    if (last.ended === 'failed') found.push(`it goes on failing: ${last.sentence}`)
    await session.close()
    const after = await storedState(now, historyOf(work))
    if (!isSame(after, expected.after)) found.push(`it ends otherwise: ${differences(expected.after, after)}`)
    found.push(...(await wrongCounters(now)))
    const { password } = new URL(url)
    const shown = [...session.log(), ...(first.ended === 'failed' ? [first.sentence] : [])]
    for (const line of shown) if (line.includes(password) || line.includes(rowText)) found.push(`it shows: ${line}`)
    return found
  } finally {
    await relay.stop()
  }
}

/** A sentence says what failed and what to do: `landing …: the database does not answer; try again`. */
const wordsOf = (sentence: string): ReadonlyArray<string> =>
  /^[^;]+[:;.] .+/.test(sentence) ? [] : [`its caller is told: ${sentence}`]

const isSame = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean =>
  a.length === b.length && a.every((line, nth) => line === b[nth])

/** The lines of which one side has more, at most three of each. */
function differences(expected: ReadonlyArray<string>, found: ReadonlyArray<string>): string {
  const missing = without(expected, found).map((line) => `missing ${line}`)
  const added = without(found, expected).map((line) => `found ${line}`)
  return [...missing.slice(0, 3), ...added.slice(0, 3)].join('\n  ')
}

function without(lines: ReadonlyArray<string>, others: ReadonlyArray<string>): ReadonlyArray<string> {
  const left = new Map<string, number>()
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1)
  return lines.filter((line) => {
    const count = left.get(line) ?? 0
    left.set(line, count - 1)
    return count <= 0
  })
}

/** A fault at a statement. */
export interface FaultCase {
  readonly at: number
  readonly fault: DatabaseFault
}

/** Every fault at every statement. */
export const allCases = ({ statements }: Faultless): ReadonlyArray<FaultCase> =>
  databaseFaults.flatMap((fault) => statements.map((_, nth) => ({ at: nth + 1, fault })))

/**
 * Some of them, the same for the same seed: the loss of the answer to the last commit, which leaves
 * the caller in doubt, and others by chance, of which successive seeds have different faults.
 */
export function someCases({ statements }: Faultless, count: number, seed: number): ReadonlyArray<FaultCase> {
  const lastCommit = statements.findLastIndex(({ text }) => /^commit$/i.test(text)) + 1
  const lost = databaseFaults.find((fault) => fault.kind === 'cut' && fault.when === 'after')
  const doubtful = lost === undefined || lastCommit === 0 ? [] : [{ at: lastCommit, fault: lost }]
  const chosen = Array.from({ length: count - doubtful.length }, (_, nth): FaultCase | undefined => {
    const place = seed * count + nth
    const fault = databaseFaults[place % databaseFaults.length]
    // A multiplicative hash spreads the statements; its constant is Knuth's.
    const at = 1 + ((Math.imul(place + 1, 0x9e3779b1) >>> 0) % statements.length)
    return fault === undefined ? undefined : { at, fault }
  })
  return [...doubtful, ...chosen.filter((one) => one !== undefined)]
}

/** A fault and its statement, for messages. */
export const caseTitle = ({ statements }: Faultless, { at, fault }: FaultCase): string =>
  `${fault.title}, statement ${at} of ${statements.length}: ${statements[at - 1]?.text.trim().replaceAll(/\s+/g, ' ').slice(0, 80)}`
