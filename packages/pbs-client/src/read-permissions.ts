import { Effect } from 'effect'
import { permissionsBytes } from './answer-limits.ts'
import { UnexpectedShape } from './decode-item.ts'
import { failureOf } from './failure-of.ts'
import type { PbsError } from './pbs-error.ts'
import type { PbsTransport } from './pbs-transport.ts'
import { printableText } from './printable-texts.ts'
import { readData } from './read-list.ts'
import { PbsPermissions } from './server-schemas.ts'

/** The privileges of the token itself: path, privilege, whether it propagates. */
export const readPermissions = (transport: PbsTransport, path?: string): Effect.Effect<PbsPermissions, PbsError> => {
  const endpoint = '/access/permissions'
  return readData(transport, endpoint, { path }, permissionsBytes).pipe(
    Effect.flatMap((data) => {
      const parsed = PbsPermissions.safeParse(withoutOddPaths(data))
      return parsed.success
        ? Effect.succeed(parsed.data)
        : Effect.fail(
            failureOf(transport.connection, endpoint, new UnexpectedShape('', 'not a map of paths to privileges')),
          )
    }),
  )
}

/** A path that no text can show concerns no row that can be read, for its name is left out too. */
const withoutOddPaths = (data: unknown): unknown =>
  typeof data === 'object' && data !== null && !Array.isArray(data)
    ? Object.fromEntries(Object.entries(data).filter(([path]) => printableText(path) === path))
    : data
