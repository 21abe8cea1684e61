import type { SourceErrorCode } from '@netbox-pbs/core/ports'
import { Data } from 'effect'

/** What a source said of a scope cannot be true, or cannot be read. That scope fails and nothing of it lands; the others go on. */
export class ScopeBroken extends Data.TaggedError('ScopeBroken')<{
  readonly code: SourceErrorCode
  readonly message: string
}> {}

/** A breach of the contract, in words that name what was seen. */
export const breach = (message: string): ScopeBroken => new ScopeBroken({ code: 'protocol', message })
