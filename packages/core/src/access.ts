/** The roles of users, the least first. Each may do what the one before it may. */
export const roles = ['viewer', 'operator', 'admin'] as const

/**
 * What a user may do. `viewer`: read. `operator`: also sync, decide on held deletions, and review,
 * resolve and merge branches. `admin`: everything.
 */
export type Role = (typeof roles)[number]

/** Characters of a password, at least and at most, as NetBox has them. */
export const passwordLength = { min: 12, max: 128 } as const

/** Whether a role may do what needs another one at least. */
export const roleAllows = (role: Role, needed: Role): boolean => roles.indexOf(role) >= roles.indexOf(needed)
