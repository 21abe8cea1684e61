import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { WrongUsage } from '@netbox-pbs/app-shell'
import { Effect, Redacted } from 'effect'
import { CannotRun } from './failures.ts'

/** A secret that a command needs: what it is called, and the flag that names its file. */
interface SecretInput {
  readonly flag: string
  readonly name: string
}

const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })

/** Asks on the terminal, without showing the answer. The terminal is silent, so Ctrl-C arrives as a key. */
const ask = (prompt: string, name: string): Effect.Effect<string, CannotRun> =>
  Effect.async((resume) => {
    // First, so that the terminal is silent when the prompt invites to type.
    const input = createInterface({ input: process.stdin, output: nowhere, terminal: true })
    process.stderr.write(`${prompt} (not shown): `)
    input.once('line', (line) => {
      resume(Effect.succeed(line))
      input.close()
    })
    input.once('close', () => {
      process.stderr.write('\n')
      resume(new CannotRun({ message: `no ${name} was given: nothing was done` }))
    })
    return Effect.sync(() => input.close())
  })

const needFlagOrTerminal = ({ flag, name }: SecretInput, file: string | undefined) =>
  file === undefined && process.stdin.isTTY !== true
    ? wrong(`${flag} is missing: name the file that holds the ${name}, or - for standard input`)
    : Effect.void

/**
 * A token secret: from a file, from standard input (`-`), or asked for on a terminal. Never from
 * the command line, where others can read it.
 */
export const readTokenSecret = (
  file: string | undefined,
): Effect.Effect<Redacted.Redacted<string>, WrongUsage | CannotRun> =>
  Effect.gen(function* () {
    const secret = { flag: '--token-secret-file', name: 'secret' }
    yield* needFlagOrTerminal(secret, file)
    const text = (yield* file === undefined ? ask('Token secret', 'secret') : readFile(secret.flag, file)).trim()
    if (text === '') return yield* wrong(`${secret.flag}: the secret is empty`)
    return Redacted.make(text)
  })

/** A new password, in the same ways: without the line end of a file, and asked for twice on a terminal. */
export const readPassword = (
  file: string | undefined,
): Effect.Effect<Redacted.Redacted<string>, WrongUsage | CannotRun> =>
  Effect.gen(function* () {
    const password = { flag: '--password-file', name: 'password' }
    yield* needFlagOrTerminal(password, file)
    if (file !== undefined) return Redacted.make((yield* readFile(password.flag, file)).replace(/\r?\n$/, ''))
    const text = yield* ask('Password', 'password')
    if ((yield* ask('The same again', 'password')) !== text)
      return yield* new CannotRun({ message: 'the two passwords differ: nothing was done' })
    return Redacted.make(text)
  })

const readFile = (flag: string, file: string): Effect.Effect<string, WrongUsage> =>
  Effect.try({
    try: () => readFileSync(file === '-' ? 0 : file, 'utf8'),
    catch: () => new WrongUsage({ message: `${flag}: cannot read ${file}; make it a file that this user may read` }),
  })

const wrong = (message: string) => new WrongUsage({ message })
