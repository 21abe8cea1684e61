import { clockDiffers } from '@netbox-pbs/core'
import { Alert } from '../components/alert.tsx'
import { formatSeconds } from '../components/format.ts'

/** What a clock that differs from ours means, and what to do; empty for one that does not. */
export const ClockAlert = ({ offset }: { offset: unknown }) =>
  typeof offset === 'number' && clockDiffers(offset) ? (
    <Alert kind="warning">
      The clock of this server is {formatSeconds(Math.abs(offset))} {offset > 0 ? 'ahead of' : 'behind'} that of the
      gateway. The times of its backups, tasks and schedules are off by as much. Run “timedatectl” on both machines, and
      have both follow an NTP server.
    </Alert>
  ) : null
