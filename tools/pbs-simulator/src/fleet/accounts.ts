import type { Account, AclEntry, PbsState } from '../state/pbs-state.ts'
import { createRandom, uuidOf } from '../state/random.ts'

/** An API token and its name. */
export interface SimulatedToken {
  readonly tokenId: string
  readonly secret: string
}

/** The tokens of every generated server, one per kind of view. */
export interface SimulatedTokens {
  /** May read everything: Audit, RemoteAudit and TapeAudit on `/`. */
  readonly audit: SimulatedToken
  /** Datastore.Audit on one store only. */
  readonly oneStore: SimulatedToken & { readonly store: string }
  /** Datastore.Audit on one namespace only. */
  readonly oneNamespace: SimulatedToken & { readonly store: string; readonly ns: string }
  /** The role Audit alone: no remotes, no tape. */
  readonly auditOnly: SimulatedToken
  /** Datastore.Backup: sees only the groups it owns. */
  readonly backup: SimulatedToken
  /** No privileges at all. */
  readonly empty: SimulatedToken
  /** Disabled: every request is a 401. */
  readonly disabled: SimulatedToken
}

const tokenIds = {
  audit: 'inventory@pbs!reader',
  oneStore: 'inventory@pbs!one-store',
  oneNamespace: 'inventory@pbs!one-namespace',
  auditOnly: 'inventory@pbs!audit-only',
  backup: 'backup@pbs!pve',
  empty: 'inventory@pbs!empty',
  disabled: 'inventory@pbs!disabled',
} as const

const grant = (path: string, authId: string, ...roles: readonly string[]): AclEntry[] =>
  roles.map((role) => ({ path, authId, role, propagate: true }))

/** Users, tokens and ACL of a generated server; secrets follow from the seed. */
export const createAccess = (
  seed: number,
  store: string,
  ns: string,
): { readonly accounts: Account[]; readonly acl: AclEntry[] } => {
  const random = createRandom(seed ^ 0x70b5)
  const user = (authId: string): Account => ({ authId, secret: null, enabled: true, expire: 0 })
  const tokens = Object.values(tokenIds).map((authId) => ({
    authId,
    secret: uuidOf(random),
    enabled: authId !== tokenIds.disabled,
    expire: 0,
  }))
  return {
    accounts: [user('root@pam'), user('inventory@pbs'), user('backup@pbs'), ...tokens],
    acl: [
      ...grant('/', 'inventory@pbs', 'Audit', 'RemoteAudit', 'TapeAudit'),
      ...grant('/', tokenIds.audit, 'Audit', 'RemoteAudit', 'TapeAudit'),
      ...grant('/', tokenIds.auditOnly, 'Audit'),
      ...grant('/', tokenIds.disabled, 'Audit'),
      ...grant(`/datastore/${store}`, tokenIds.oneStore, 'DatastoreAudit'),
      ...grant(`/datastore/${store}/${ns}`, tokenIds.oneNamespace, 'DatastoreAudit'),
      ...grant('/datastore', 'backup@pbs', 'DatastoreBackup'),
      ...grant('/datastore', tokenIds.backup, 'DatastoreBackup'),
    ],
  }
}

const secretOf = (state: PbsState, tokenId: string): SimulatedToken => ({
  tokenId,
  secret: state.accounts.find(({ authId }) => authId === tokenId)?.secret ?? '',
})

const pathOf = (state: PbsState, tokenId: string): string[] =>
  (state.acl.find(({ authId }) => authId === tokenId)?.path ?? '').split('/').slice(2)

/** The tokens of a state; a token that a custom state lacks has an empty secret. */
export const tokensOf = (state: PbsState): SimulatedTokens => {
  const [store = ''] = pathOf(state, tokenIds.oneStore)
  const [nsStore = '', ...ns] = pathOf(state, tokenIds.oneNamespace)
  return {
    audit: secretOf(state, tokenIds.audit),
    oneStore: { ...secretOf(state, tokenIds.oneStore), store },
    oneNamespace: { ...secretOf(state, tokenIds.oneNamespace), store: nsStore, ns: ns.join('/') },
    auditOnly: secretOf(state, tokenIds.auditOnly),
    backup: secretOf(state, tokenIds.backup),
    empty: secretOf(state, tokenIds.empty),
    disabled: secretOf(state, tokenIds.disabled),
  }
}
