import { aclCommands } from '../permissions/acl-commands.ts'
import { inventoryGaps } from '../permissions/gaps.ts'
import type { Permissions } from '../permissions/permissions.ts'
import { ScopeFailed } from './scope-failed.ts'
import type { ServerSession } from './server-session.ts'

/** No datastore is listed to the token: that is no empty server, and the message has the commands that grant what it lacks. */
export const blindToken = ({ endpoint }: Pick<ServerSession, 'endpoint'>, permissions: Permissions): ScopeFailed => {
  const commands = aclCommands(inventoryGaps(permissions), endpoint.token_id)
  return new ScopeFailed({
    code: 'forbidden',
    message: `the token ${endpoint.token_id} sees no datastore of ${endpoint.name}. On that server, run: ${commands.join('; ')}`,
    retryable: false,
  })
}
