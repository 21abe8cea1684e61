import type { Gap } from './gaps.ts'

/** The roles of an inventory, with the privileges that each of them grants. */
const roles: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  ['Audit', ['Datastore.Audit', 'Sys.Audit']],
  ['RemoteAudit', ['Remote.Audit']],
  ['TapeAudit', ['Tape.Audit']],
]

/**
 * The commands that close gaps, to be run on the server itself. A token of PBS has what both it and its user have, so that each role is granted to both.
 *
 * @param tokenId - `user@realm!tokenname`
 */
export const aclCommands = (gaps: ReadonlyArray<Pick<Gap, 'privilege'>>, tokenId: string): ReadonlyArray<string> => {
  const missing = new Set(gaps.map(({ privilege }) => privilege))
  const user = tokenId.slice(0, Math.max(0, tokenId.lastIndexOf('!')))
  return roles
    .filter(([, privileges]) => privileges.some((privilege) => missing.has(privilege)))
    .flatMap(([role]) =>
      [user, tokenId].map((id) => `proxmox-backup-manager acl update / ${role} --auth-id ${quoted(id)}`),
    )
}

/** A word for a shell. In single quotes, since bash reads `!` within double ones. */
const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`
