import { Data } from 'effect'

/**
 * The object does not have the version that the writer expected, so nothing was written. `version` is
 * its present `last_updated`, RFC 3339.
 */
export class VersionChanged extends Data.TaggedError('VersionChanged')<{ readonly version: string }> {
  override get message(): string {
    return `it was changed at ${this.version}: read it again, then repeat the change`
  }
}

/** The `last_updated` that an object must have to be written, RFC 3339: any of these. Compared under the object's lock, in the transaction of the write. Undefined: any version. */
export type ExpectedVersions = ReadonlyArray<string> | undefined
