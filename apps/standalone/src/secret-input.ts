import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { Effect, Redacted } from 'effect'
import { CannotRun, WrongUsage } from './failures.ts'

const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })

const ask = async (): Promise<string> => {
  process.stderr.write('Token secret: ')
  const input = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  try {
    return await input.question('')
  } finally {
    input.close()
    process.stderr.write('\n')
  }
}

/** A token secret: from a file, from standard input (`-`), or asked for on a terminal without showing it. Never from the command line, where others can read it. */
export const readSecret = (
  file: string | undefined,
): Effect.Effect<Redacted.Redacted<string>, WrongUsage | CannotRun> =>
  Effect.gen(function* () {
    if (file === undefined && process.stdin.isTTY !== true) {
      return yield* new WrongUsage({
        message: '--token-secret-file is missing: name the file that holds the secret, or - for standard input',
      })
    }
    const text = yield* Effect.tryPromise({
      try: async () => (file === undefined ? await ask() : readFileSync(file === '-' ? 0 : file, 'utf8')),
      catch: (cause) => new CannotRun({ message: `--token-secret-file: cannot read ${file ?? 'the terminal'}`, cause }),
    })
    const secret = text.trim()
    if (secret === '') return yield* new WrongUsage({ message: '--token-secret-file: the secret is empty' })
    return Redacted.make(secret)
  })
