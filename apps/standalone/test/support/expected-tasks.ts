import type { PbsState } from '@netbox-pbs/pbs-simulator'

const timestamp = (epoch: number): string => new Date(epoch * 1000).toISOString().replace('.000Z', 'Z')

const outcomeOf = (status: string | null): string => {
  if (status === null) return 'running'
  if (status === 'OK') return 'ok'
  if (status.startsWith('WARNINGS: ')) return 'warning'
  return status === 'unknown' ? 'unknown' : 'error'
}

/**
 * The tasks of a simulated server that REST must show, started after a time (epoch seconds), by
 * UPID, with texts no longer than the store keeps; computed without code of the system under test.
 */
export function expectedTasks(state: PbsState, since: number): Readonly<Record<string, Record<string, unknown>>> {
  return Object.fromEntries(
    state.tasks.flatMap(({ upid, status, endtime }) => {
      const [, node, , , , hex = '', worker_type] = upid.split(':')
      const start = Number.parseInt(hex, 16)
      if (start < since) return []
      const ends = {
        endtime: endtime === null ? null : timestamp(endtime),
        duration: endtime === null ? null : endtime - start,
      }
      return [
        [
          upid,
          {
            node,
            worker_type,
            starttime: timestamp(start),
            outcome: outcomeOf(status),
            status: (status ?? '').slice(0, 1000),
            ...ends,
          },
        ],
      ]
    }),
  )
}
