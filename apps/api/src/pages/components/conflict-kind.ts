import type { ConflictKind, Resolution } from '@netbox-pbs/core'

/** What stands against a merge, in words. */
export const conflictWords: Readonly<Record<ConflictKind, { readonly label: string; readonly sentence: string }>> = {
  create_create: {
    label: 'Made on both sides',
    sentence: 'Main has made the same object meanwhile, with other values.',
  },
  update_update: {
    label: 'Changed on both sides',
    sentence: 'Main and the branch have changed this to different ends.',
  },
  update_delete: { label: 'Changed, but deleted here', sentence: 'Main has changed what the branch deletes.' },
  delete_update: { label: 'Deleted, but changed here', sentence: 'Main has deleted what the branch changes.' },
  integrity: {
    label: 'Fact that cannot change',
    sentence: 'Both sides give another value for a fact that cannot change.',
  },
  unique_collision: { label: 'Key is taken', sentence: 'Another object of main has this key.' },
  missing_reference: { label: 'Refers to nothing', sentence: 'What the object refers to is not in main.' },
  child_orphaned: {
    label: 'Rows below',
    sentence: 'Main has gained rows below what the branch deletes, or lost what it makes rows below.',
  },
  scope_regression: { label: 'Older than main', sentence: 'A later run of the same scope has landed.' },
  guard: {
    label: 'Many deletions',
    sentence: 'More is deleted than the guard lets go, or it was listed with other privileges.',
  },
}

/** The answers to a conflict, in words. */
export const resolutionWords: Readonly<Record<Resolution['choice'], string>> = {
  main: 'Main’s',
  branch: 'Branch’s',
  value: 'This value',
  skip: 'Leave out',
}
