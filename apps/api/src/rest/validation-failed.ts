import type { FieldErrors } from '@netbox-pbs/core'
import { Data } from 'effect'

/** A body that a row does not take: what is wrong with each field. */
export class ValidationFailed extends Data.TaggedError('ValidationFailed')<{ readonly errors: FieldErrors }> {}
