import type { Run } from '@netbox-pbs/core'
import type { UserRights } from '@netbox-pbs/core/ports'

/**
 * Whether a user who may start runs may cancel this one: one who sees some servers only cancels no
 * run of others, because it may be about other servers too.
 */
export const mayCancel = (
  { user }: Pick<Run, 'user'>,
  { servers, username }: Pick<UserRights, 'servers'> & { readonly username: string },
): boolean => servers === null || user === username

/** Why not. */
export const cancelOthers =
  'This run may be about servers that your user does not see: only runs that you started can be cancelled.'
