import type { Branch } from '@netbox-pbs/core'
import type { UserRights } from '@netbox-pbs/core/ports'

/** A number next to an item of the menu, shown only when something is wrong. */
export interface MenuBadge {
  readonly count: number
  readonly color: 'red' | 'orange'
  /** What is counted. */
  readonly title: string
}

/** The signed-in user, as pages need it. */
export interface Viewer extends Pick<UserRights, 'servers'> {
  readonly username: string
  /** May change everything, as an admin with a session that writes. */
  readonly writes: boolean
  /** May do an operator's work: start runs, decide on held deletions, review and merge branches. */
  readonly operates: boolean
  /** What the menu says of pages, by their paths; left out: nothing. */
  readonly badges?: ReadonlyMap<string, MenuBadge>
  /** What only this session knows; it is never drawn. */
  readonly session: string
  /** Goes into every form; bound to the session, and another text on every page. */
  readonly formToken: string
}

/** The branch that a page of the inventory is in, as its links and its banner need it; null: main. */
export type PageBranch = Pick<Branch, 'id' | 'name' | 'schema_id'> | null
