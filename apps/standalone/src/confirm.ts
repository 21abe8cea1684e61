import { createInterface } from 'node:readline'
import { WrongUsage } from '@netbox-pbs/app-shell'
import { Effect } from 'effect'
import { CannotRun } from './failures.ts'

/** Whether the command runs on a terminal, where it can ask a question. */
export const canAsk = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true

/** Output for the question and input for the answer. */
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

/** Continues if `--yes` is given or the user confirms on the terminal. */
export const needYes = (yes: boolean, question: string): Effect.Effect<void, WrongUsage | CannotRun> =>
  Effect.gen(function* () {
    if (yes) return
    if (!canAsk())
      return yield* new WrongUsage({ message: `${question} There is no terminal to ask on: add --yes to confirm` })
    if (!(yield* confirm(question))) return yield* new CannotRun({ message: 'nothing was changed' })
  })
