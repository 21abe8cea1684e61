const datastoreAll = ['Audit', 'Modify', 'Read', 'Verify', 'Backup', 'Prune', 'Allocate'].map(
  (name) => `Datastore.${name}`,
)
const tapeAll = ['Tape.Audit', 'Tape.Modify', 'Tape.Read', 'Tape.Write']
const remoteAll = ['Remote.Audit', 'Remote.Modify', 'Remote.Read']

const roles: Readonly<Record<string, readonly string[]>> = {
  Admin: [
    'Sys.Audit',
    'Sys.Modify',
    'Sys.PowerManagement',
    'Sys.Console',
    'Permissions.Modify',
    'Realm.Allocate',
    ...datastoreAll,
    ...remoteAll,
    ...tapeAll,
  ],
  Audit: ['Sys.Audit', 'Datastore.Audit'],
  DatastoreAdmin: datastoreAll,
  DatastoreReader: ['Datastore.Audit', 'Datastore.Verify', 'Datastore.Read'],
  DatastoreBackup: ['Datastore.Backup'],
  DatastorePowerUser: ['Datastore.Prune', 'Datastore.Backup'],
  DatastoreAudit: ['Datastore.Audit'],
  RemoteAudit: ['Remote.Audit'],
  RemoteAdmin: remoteAll,
  TapeAudit: ['Tape.Audit'],
  TapeAdmin: tapeAll,
  NoAccess: [],
}

/** The privileges of a built-in role; an unknown role has none. */
export const rolePrivileges = (role: string): readonly string[] => roles[role] ?? []
