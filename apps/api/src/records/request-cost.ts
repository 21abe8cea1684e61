import type { RequestCost } from '@netbox-pbs/core'
import type { DayCost } from '@netbox-pbs/core/ports'
import { z } from 'zod'

/** What PBS was asked. */
export const Cost = z.object({
  requests: z.int().describe('Requests that were sent or tried.'),
  bytes: z.int().describe('Bytes of the answers, as far as they were read.'),
  seconds: z.number().describe('Time of waiting for the answers; that of requests at the same time adds up.'),
  most_in_flight: z.int().describe('The most requests that were open at once.'),
})

/** What a server was asked on one day. */
export const ServerCost = z.object({ day: z.iso.date().describe('In UTC.'), ...Cost.shape })

/** A cost as REST answers it. */
export const servedCost = ({ requests, bytes, millis, most_in_flight }: RequestCost): z.infer<typeof Cost> => ({
  requests,
  bytes,
  seconds: millis / 1000,
  most_in_flight,
})

/** The cost of a day as REST answers it. */
export const servedDay = ({ day, ...cost }: DayCost): z.infer<typeof ServerCost> => ({ day, ...servedCost(cost) })
