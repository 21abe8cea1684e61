import type { Branch } from '@netbox-pbs/core'

/** The branch that a page of the inventory is inside of, as its links and its banner need it; null: main. */
export type PageBranch = Pick<Branch, 'id' | 'name' | 'schema_id'> | null
