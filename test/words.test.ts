import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** Words that were retired, with what to write. They are looked for in sources, tests and documents alike. */
const retired: ReadonlyArray<readonly [RegExp, string]> = [
  [/\bby hands?\b|\ba hand(?= (writes|makes|deletes|has)|’s|'s)|\bHand(Writes|Values|Merge)\b/i, 'edit, user'],
  [/\binside (a|the) branch|\binside[A-Z]|[a-z]Inside\b/, 'overlay, in a branch'],
  [/\bbelow[A-Z]|[a-z]Below\b/, 'children, descendants'],
  [/\bmoment(Text)?\(|[a-z]Moment\b/, 'timestamp'],
  [/\banew\b/i, 'again, new; or name the step: recompute, recount'],
  [/\bbeside\b/i, 'next to, during, apart from'],
  [/\ball the same\b/i, 'anyway, still'],
  [/(?<![`'"])\bnobody\b/i, 'no one; or turn the sentence round'],
  [/\bhence\b/i, 'so'],
  [/\bmeanwhile\b/i, 'during …, since, or the name of the event'],
  [/\b(some|any)body\b/i, 'a user, another machine; or turn the sentence round'],
  [/\bis said\b/i, 'the subject that states, shows or reports it'],
  [/\bfor ever\b/i, 'all of them, until interrupted'],
  [
    /\b(keepDoing|othersTurn|toTheEnd|undoing|letGo|letsGo|mayGo|howUrgent|passOver|hearFailure)\b/,
    'repeatForever, yieldToEventLoop, …',
  ],
  [/\b(bury|buries|buried)\b/i, 'tombstone, discard'],
  [/\b(narrowing|narrowed)\b/i, 'scope filter'],
  [/\blost-after\b|\blostAfter/, 'heartbeat timeout'],
  [/\brooms?\b/i, 'package'],
  [/\barrows?\b(?! keys?| down| up)/i, 'dependency'],
  [/\bheld sets?\b|\bHeldSet/i, 'held deletions'],
  [/\bview_changed\b|\blandedView\b/, 'visibility'],
  [/\bpins\b(?! (it|them|the certificate))/, 'overrides; pin is for certificates'],
  [
    /\b(rehearsed|firstReadings|settleClaims|leaveToMain)\b/,
    'dry run, initial observations, key conflicts, drop landed entries',
  ],
  [
    /\b(Said|Told|Asked|Wanted|Gone|Trouble|Refused|FieldsRefused)\b(?=[\s;:,<>{|])(?=.*[{=;])/,
    'FieldValues, Request, HttpError, …',
  ],
  [/\bthe guard has spoken\b|\bthe worker rests\b|\bis our fault\b/i, 'what happened, and what to do'],
]

const root = fileURLToPath(new URL('..', import.meta.url))
const self = 'test/words.test.ts'
const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
  .split('\0')
  .filter((path) => /\.(tsx?|md|json|yml|yaml)$/.test(path) && path !== self && !path.endsWith('pnpm-lock.yaml'))
  // A migration is never changed, and has the words of its time.
  .filter((path) => !/\/migrations\/\d/.test(path) && existsSync(`${root}${path}`))
  .map((path) => ({ path, lines: readFileSync(`${root}${path}`, 'utf8').split('\n') }))

test.each(retired)('%s is written nowhere: write %s', (pattern) => {
  const found = files.flatMap(({ path, lines }) =>
    lines.flatMap((line, at) => (pattern.test(line) ? [`${path}:${at + 1}: ${line.trim()}`] : [])),
  )
  expect(found).toEqual([])
})
