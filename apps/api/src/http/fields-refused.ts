import type { FieldErrors } from '@netbox-pbs/core'
import { Data } from 'effect'

/** A body that a row does not take: what is wrong with each field. */
export class FieldsRefused extends Data.TaggedError('FieldsRefused')<{ readonly errors: FieldErrors }> {}
