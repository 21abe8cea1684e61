import type { Branch } from '@netbox-pbs/core'
import type { UserRights } from '@netbox-pbs/core/ports'

/** The signed-in user, as pages need it. */
export interface Viewer extends Pick<UserRights, 'servers'> {
  readonly username: string
  /** May change everything, as an admin with a session that writes. */
  readonly writes: boolean
  /** May do an operator's work: start runs, decide on held deletions, review and merge branches. */
  readonly operates: boolean
  /** Goes into every form; bound to the session. */
  readonly formToken: string
}

/** The branch that a page of the inventory is in, as its links and its banner need it; null: main. */
export type PageBranch = Pick<Branch, 'id' | 'name' | 'schema_id'> | null
