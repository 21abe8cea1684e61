import { createInterface } from 'node:readline'
import { WrongUsage } from '@netbox-pbs/app-shell'
import { Effect } from 'effect'
import { CannotRun } from './failures.ts'

/** Whether somebody sits at a terminal who can answer a question. */
export const canAsk = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true

/** Where a question is put, and where its answer comes from. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream
  readonly output: NodeJS.WritableStream
}

/** Asks a question on standard error. Only `y` and `yes` are a yes; the end of the input is a no. */
export const confirm = (
  question: string,
  { input, output }: Terminal = { input: process.stdin, output: process.stderr },
): Effect.Effect<boolean> =>
  Effect.async((resume) => {
    output.write(`${question} [y/N] `)
    const lines = createInterface({ input })
    lines.once('line', (line) => {
      resume(Effect.succeed(/^\s*y(es)?\s*$/i.test(line)))
      lines.close()
    })
    lines.once('close', () => resume(Effect.succeed(false)))
    return Effect.sync(() => lines.close())
  })

/** Goes on when `--yes` was given, or a person at a terminal says yes. */
export const needYes = (yes: boolean, question: string): Effect.Effect<void, WrongUsage | CannotRun> =>
  Effect.gen(function* () {
    if (yes) return
    if (!canAsk()) return yield* new WrongUsage({ message: `${question} Nobody can be asked here: add --yes to do it` })
    if (!(yield* confirm(question))) return yield* new CannotRun({ message: 'nothing was changed' })
  })
