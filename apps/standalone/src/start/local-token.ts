import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { newTokenText, tokenKnown, writeToken } from '@netbox-pbs/api'
import { WrongUsage } from '@netbox-pbs/app-shell'
import type { ApiTokens, StoreFailed } from '@netbox-pbs/core/ports'
import { Effect, Option, Redacted } from 'effect'
import { bootstrapTokenName } from '../config.ts'
import { writePrivateFile } from '../data-folder/private-file.ts'
import type { CannotRun } from '../failures.ts'

/** The admin token of a start, and its file; no file when the operator gave the token. */
export interface LocalToken {
  readonly token: Redacted.Redacted<string>
  readonly file: string | null
  /** Whether this start made it: only then a terminal shows it. */
  readonly made: boolean
}

const admin = { write_enabled: true, expires: null }

/**
 * The token given by the environment, which is made known if it is not; else the one an earlier
 * start left in its file, as long as it is still good; else a new one, left in that file.
 */
export const localToken = (
  given: Option.Option<Redacted.Redacted<string>>,
  folder: string,
): Effect.Effect<LocalToken, StoreFailed | CannotRun | WrongUsage, ApiTokens> =>
  Effect.gen(function* () {
    if (Option.isSome(given)) {
      yield* writeToken(given.value, { ...admin, description: 'given at the start' }).pipe(
        Effect.catchTag('TokenMalformed', ({ message }) =>
          Effect.fail(new WrongUsage({ message: `${bootstrapTokenName}: ${message}` })),
        ),
      )
      return { token: given.value, file: null, made: false }
    }
    const file = join(folder, 'token')
    const earlier = stored(file)
    if (earlier !== null && (yield* tokenKnown(earlier))) return { token: earlier, file, made: false }
    const token = newTokenText()
    yield* writeToken(token, { ...admin, description: 'made at the start' }).pipe(
      Effect.catchTag('TokenMalformed', Effect.die),
    )
    yield* writePrivateFile(file, `${Redacted.value(token)}\n`)
    return { token, file, made: true }
  })

function stored(file: string): Redacted.Redacted<string> | null {
  try {
    return Redacted.make(readFileSync(file, 'utf8').trim())
  } catch {
    return null
  }
}
