import { formatTimestamp } from '@netbox-pbs/core'
import { Sessions, type StoreFailed } from '@netbox-pbs/core/ports'
import { Clock, Effect } from 'effect'
import { signInPage } from '../rest/page-paths.ts'
import { idHash, newId } from './session.ts'

const lifetimeMillis = 3600_000

/** The path of a link that signs a browser in as this user, once and within an hour. */
export const signInLink = (username: string): Effect.Effect<string, StoreFailed, Sessions> =>
  Effect.gen(function* () {
    const id = newId()
    const sessions = yield* Sessions
    const expires = formatTimestamp((yield* Clock.currentTimeMillis) + lifetimeMillis)
    yield* sessions.createLink({ idHash: idHash(id), username, expires })
    return `${signInPage}${id}/`
  })
