import { createHash } from 'node:crypto'

/** The `digest` sibling of a configuration list: the hash of the file behind it. */
export const configDigest = (configuration: unknown): string =>
  createHash('sha256').update(JSON.stringify(configuration)).digest('hex')
