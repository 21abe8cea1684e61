import type { Branch } from '@netbox-pbs/core'

/** The signed-in user, as pages need it. */
export interface Viewer {
  readonly username: string
  readonly writes: boolean
  /** Goes into every form; bound to the session. */
  readonly formToken: string
}

/** The branch that a page of the inventory is in, as its links and its banner need it; null: main. */
export type PageBranch = Pick<Branch, 'id' | 'name' | 'schema_id'> | null
