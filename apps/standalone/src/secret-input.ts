import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { WrongUsage } from '@netbox-pbs/app-shell'
import { Effect, Redacted } from 'effect'
import { CannotRun } from './failures.ts'

const flag = '--token-secret-file'
const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })

/** Asks on the terminal, without showing the answer. The terminal is silent, so Ctrl-C arrives as a key. */
const ask: Effect.Effect<string, CannotRun> = Effect.async((resume) => {
  process.stderr.write('Token secret (not shown): ')
  const input = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  input.once('line', (line) => {
    resume(Effect.succeed(line))
    input.close()
  })
  input.once('close', () => {
    process.stderr.write('\n')
    resume(new CannotRun({ message: 'no secret was given: nothing was done' }))
  })
  return Effect.sync(() => input.close())
})

/**
 * A token secret: from a file, from standard input (`-`), or asked for on a terminal. Never from
 * the command line, where others can read it.
 */
export const readTokenSecret = (
  file: string | undefined,
): Effect.Effect<Redacted.Redacted<string>, WrongUsage | CannotRun> =>
  Effect.gen(function* () {
    if (file === undefined && process.stdin.isTTY !== true)
      return yield* wrong(`${flag} is missing: name the file that holds the secret, or - for standard input`)
    const text = yield* file === undefined ? ask : readFile(file)
    if (text.trim() === '') return yield* wrong(`${flag}: the secret is empty`)
    return Redacted.make(text.trim())
  })

const readFile = (file: string): Effect.Effect<string, WrongUsage> =>
  Effect.try({
    try: () => readFileSync(file === '-' ? 0 : file, 'utf8'),
    catch: () => new WrongUsage({ message: `${flag}: cannot read ${file}; make it a file that this user may read` }),
  })

const wrong = (message: string) => new WrongUsage({ message })
