import type { ConflictKind, Resolution } from '@netbox-pbs/core'

/** Labels and descriptions of conflicts. */
export const conflictWords: Readonly<Record<ConflictKind, { readonly label: string; readonly sentence: string }>> = {
  create_create: {
    label: 'Created on both sides',
    sentence: 'Created in main too, with different values.',
  },
  update_update: {
    label: 'Changed on both sides',
    sentence: 'Changed in both main and the branch.',
  },
  update_delete: {
    label: 'Changed in main, deleted here',
    sentence: 'Main changed an object that the branch deletes.',
  },
  delete_update: {
    label: 'Deleted in main, changed here',
    sentence: 'Main deleted an object that the branch changes.',
  },
  integrity: {
    label: 'Immutable field',
    sentence: 'Main and the branch have different values for a field that cannot change.',
  },
  unique_collision: { label: 'Key is taken', sentence: 'Another object in main has this key.' },
  missing_reference: { label: 'Missing reference', sentence: 'The object refers to an object that is not in main.' },
  child_orphaned: {
    label: 'Children differ',
    sentence:
      'Main has new children of an object that the branch deletes, or lost the parent of an object that it creates.',
  },
  scope_regression: { label: 'Older than main', sentence: 'A later run of the same scope has already landed.' },
  guard: {
    label: 'Many deletions',
    sentence: 'The branch deletes more rows than the guard allows, or the token had other privileges.',
  },
}

/** Labels of the resolutions of a conflict. */
export const resolutionWords: Readonly<Record<Resolution['choice'], string>> = {
  main: 'Main’s',
  branch: 'Branch’s',
  value: 'This value',
  skip: 'Leave out',
}
