import { nightFields } from '@netbox-pbs/core'
import type { NightOutcomes } from '@netbox-pbs/core/ports'
import { z } from 'zod'
import { rowUrl } from '../rest/links.ts'
import { recordFilter } from '../rest/read-filter.ts'
import { reference } from './fields.ts'

/** How the backup tasks of one night ended. */
export const Night = z.object({
  night: z.iso.date().describe('The day on whose noon it begins, in UTC.'),
  server: reference.extend({ name: z.string() }),
  known: z
    .boolean()
    .describe('Whether all its tasks are known: it is over, the tasks were read since, and older ones are known.'),
  ok: z.int(),
  warning: z.int(),
  error: z.int(),
  other: z.int().describe('Those that run, or whose end is not known.'),
})

/** The filters of the list of nights. */
export const nightFilter = recordFilter(Night, { fields: nightFields })

/** A night as REST answers it. */
export const servedNight = (base: string, { night, server, ...outcomes }: NightOutcomes): z.infer<typeof Night> => ({
  night,
  server: { id: server.id, url: rowUrl(base, 'server', server.id), display: server.name, name: server.name },
  ...outcomes,
})
