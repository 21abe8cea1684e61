import type { Actor, FieldErrors, Settings } from '@netbox-pbs/core'
import {
  ApiTokens,
  type ExpectedVersions,
  SettingsStore,
  type StoreFailed,
  type VersionChanged,
} from '@netbox-pbs/core/ports'
import { now } from '@netbox-pbs/sync'
import { Effect, Redacted } from 'effect'
import { ValidationFailed } from '../rest/http-error.ts'
import { readSettings } from './read-settings.ts'

/** Changes the settings that a body names, all or none. */
export const changeSettings = (
  body: object,
  by: { readonly actor: Actor; readonly versions: ExpectedVersions },
): Effect.Effect<void, ValidationFailed | VersionChanged | StoreFailed, SettingsStore | ApiTokens> =>
  Effect.gen(function* () {
    const read = readSettings(body)
    if ('errors' in read) return yield* new ValidationFailed({ errors: read.errors })
    const { proxbox_api_key, ...change } = read.change
    if (!wasSent(change)) return yield* Effect.dieMessage('a change of the settings holds undefined')
    if (change.branch_approval_required === true) yield* requireSecondWriter
    const key = proxbox_api_key === undefined ? {} : { proxbox_api_key: Redacted.make(proxbox_api_key) }
    yield* (yield* SettingsStore)
      .update({ ...change, ...key }, by)
      .pipe(Effect.catchTag('GatewayKeyNeeded', ({ message }) => wrong({ proxbox_api_key: [message] })))
  })

const wrong = (errors: FieldErrors) => Effect.fail(new ValidationFailed({ errors }))

/** With a single user no branch could be approved, so no branch could ever be merged. */
const requireSecondWriter = Effect.gen(function* () {
  const { branch_approval_required } = yield* (yield* SettingsStore).get()
  const writers = yield* (yield* ApiTokens).writers({ now: yield* now })
  if (!branch_approval_required && writers < 2) yield* wrong({ branch_approval_required: [noSecondWriter] })
})

const noSecondWriter =
  'Only one user could approve a branch, and that user could approve none of their own: add another operator or admin first.'

/** JSON holds no undefined, so every field of a change was sent. */
function wasSent(change: { readonly [K in keyof Settings]?: Settings[K] | undefined }): change is Partial<Settings> {
  return Object.values(change).every((value) => value !== undefined)
}
