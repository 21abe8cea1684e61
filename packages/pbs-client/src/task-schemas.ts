import { z } from 'zod'
import { integer, text, type WithUnsafeIntegers } from './fields.ts'

/**
 * A row of `/nodes/localhost/tasks`. A task without `endtime` and `status` is running. The row's own `node` is always
 * `localhost`: the UPID has the name.
 */
export const PbsTask = z.object({
  upid: z.string(),
  /** Epoch seconds. */
  starttime: z.int(),
  worker_type: z.string(),
  /** Unescaped. */
  worker_id: text,
  /** `user@realm` or `user@realm!token`. */
  user: text,
  endtime: integer,
  status: text,
})
export type PbsTask = WithUnsafeIntegers<Readonly<z.output<typeof PbsTask>>>
