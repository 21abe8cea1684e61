import { InvalidArgumentError } from 'commander'
import { z } from 'zod'
import { createToken, listTokens, revokeToken } from '../commands/token.ts'
import type { RemoteFlags } from '../remote/find-remote.ts'
import { withTokenStore } from '../tokens/with-token-home.ts'
import { type AddCommand, newCommand, wholeNumber } from './command.ts'
import { remoteFlags } from './remote-flags.ts'

type CreateFlags = RemoteFlags & { readOnly?: boolean; expires?: string; description?: string }

/** `token create|list|revoke`. */
export const tokenCommands: AddCommand = (parent, choose) => {
  const token = newCommand('token', 'API tokens, also while the system does not run')
  const create = remoteFlags(newCommand('create', 'make a token; it is shown this once'))
    .option('--read-only', 'it may not write')
    .option('--expires <time>', 'RFC 3339, like 2027-01-01T00:00:00Z (default: never)', time)
    .option('--description <text>', 'what it is for')
    .action((flags: CreateFlags) => {
      const { readOnly = false, expires = null, description = '' } = flags
      choose(withTokenStore(flags, (home) => createToken(home, { readOnly, expires, description })))
    })
  const list = remoteFlags(newCommand('list', 'the tokens, without their secrets')).action((flags: RemoteFlags) =>
    choose(withTokenStore(flags, listTokens)),
  )
  const revoke = remoteFlags(newCommand('revoke', 'end a token'))
    .argument('<id>', 'its number in the list', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .action((id: number, flags: RemoteFlags) => choose(withTokenStore(flags, (home) => revokeToken(home, id))))
  for (const command of [create, list, revoke]) token.addCommand(command)
  parent.addCommand(token)
}

const time = (text: string): string => {
  if (!z.iso.datetime({ offset: true }).safeParse(text).success)
    throw new InvalidArgumentError('It must be a time like 2027-01-01T00:00:00Z.')
  return text
}
