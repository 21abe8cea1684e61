import type { NamespaceFrame } from '@netbox-pbs/proxbox-client/contract'

/** One namespace of a datastore; PBS's list is of paths, the root being the empty one. */
export const namespaceFrame = (server: string, datastore: string, path: string): NamespaceFrame => ({
  frame: 'namespace',
  server,
  datastore,
  path,
})
