import type { WithUnsafeIntegers } from '@netbox-pbs/pbs-client'
import type { z } from 'zod'

/** A row of PBS as the client reads it: fields that PBS may leave out have their default. */
export const pbsRow = <S extends z.ZodType<object>>(schema: S, row: z.input<S>): WithUnsafeIntegers<z.output<S>> =>
  Object.assign(schema.parse(row), { unsafeIntegers: [] })
