import { type Merged, mergeObject, type Scope } from '@netbox-pbs/core'
import type { Entry } from './read-entries.ts'

/** Merges an entry with main. What would be made below a server that main no longer has refers to nothing. */
export function judgeEntry({ sides, server }: Entry): Merged {
  const merged = mergeObject(sides)
  if (merged.write._tag !== 'create' || sides.model === 'server' || server !== null) return merged
  const conflict = { kind: 'missing_reference', field: null, base: null, main: null, branch: null } as const
  return { write: { _tag: 'none' }, conflicts: [conflict] }
}

/** The scope that an entry's object belongs to. */
export function entryScope({ sides, server }: Entry): Scope {
  const row = sides.whole ?? sides.base ?? {}
  const text = (field: string) => String(row[field] ?? '')
  const name = server ?? ''
  switch (sides.model) {
    case 'server':
      return { resource: 'servers' }
    case 'datastore':
      return { resource: 'datastores', server: name }
    case 'namespace':
      return { resource: 'namespaces', server: name, datastore: text('datastore_name') }
    case 'group':
    case 'snapshot':
      return { resource: 'snapshots', server: name, datastore: text('datastore_name'), namespace: text('namespace') }
    case 'job':
      return { resource: 'jobs', server: name, job_type: text('job_type') }
    case 'task':
      return { resource: 'tasks', server: name }
  }
}
