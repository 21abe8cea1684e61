import { type LoggedModel, registry } from '@netbox-pbs/core'

/** What an entry of the change log can be about, under NetBox's names. */
export const loggedTypes: Readonly<
  Record<LoggedModel, { readonly objectType: string; readonly label: string; readonly labelPlural: string }>
> = {
  ...registry,
  settings: { objectType: 'netbox_pbs.settings', label: 'Settings', labelPlural: 'Settings' },
  branch: { objectType: 'netbox_branching.branch', label: 'Branch', labelPlural: 'Branches' },
  conflict: { objectType: 'netbox_pbs.branchconflict', label: 'Conflict', labelPlural: 'Conflicts' },
  held_deletions: { objectType: 'netbox_pbs.helddeletions', label: 'Held deletions', labelPlural: 'Held deletions' },
  token: { objectType: 'users.token', label: 'Token', labelPlural: 'Tokens' },
}

/** The names of all of them. */
export const loggedObjectTypes: ReadonlyArray<string> = Object.values(loggedTypes).map(({ objectType }) => objectType)
