import type { JobRun, JobState, JobsState } from '../state/pbs-state.ts'
import { atLeast, type Profile } from '../state/profile.ts'
import { nextEvent } from '../state/schedule.ts'
import { formatUpid, startTimeOf } from '../state/upid.ts'

const LONG_ERROR = `sync failed with some errors: ${Array.from(
  { length: 12 },
  (_, index) =>
    `group vm/${100 + index} - error trying to connect: tcp connect error: Connection timed out (os error 110)`,
).join('; ')}`

/** The input for the jobs of a server. */
export interface JobSetting {
  readonly node: string
  readonly profile: Profile
  readonly release: string
  readonly now: number
  readonly timezone: string
  /** Stores to work on: the main one and the second one. */
  readonly main: string
  readonly second: string
}

type Draft = Pick<JobState, 'id' | 'store'> & Partial<JobState>

/** Jobs of all kinds in every state: never run, running, OK, warnings, unknown, error, unscheduled, disabled. */
export const generateJobs = (setting: JobSetting): JobsState => {
  const { node, now, timezone, main, second } = setting
  const since = (release: string) => atLeast({ version: setting.profile, release: setting.release }, release)
  let taskId = 0x20

  const run = (workerType: string, workerId: string, hoursAgo: number, state: string | null): JobRun => {
    const startTime = now - hoursAgo * 3600
    taskId += 1
    const upid = formatUpid({ node, taskId, startTime, workerType, workerId, authId: 'root@pam' })
    // A worker that died leaves its start time as its end.
    const endtime = state === null ? null : state === 'unknown' ? startTime : startTime + 667
    return { upid, state, endtime }
  }
  const job = (draft: Draft): JobState => {
    const made = { ns: null, schedule: null, comment: null, options: {}, lastRun: null, nextRun: null, ...draft }
    const { lastRun } = made
    const last = lastRun === null ? now : (lastRun.endtime ?? startTimeOf(lastRun.upid))
    return { ...made, nextRun: nextEvent(made.schedule, last, timezone) }
  }

  return {
    verify: [
      job({
        id: 'v-weekly',
        store: main,
        ns: '',
        schedule: 'sat 05:00',
        comment: 'everything once a week',
        options: { 'ignore-verified': true, 'outdated-after': 30 },
        lastRun: run('verificationjob', `${main}:v-weekly`, 60, 'OK'),
      }),
      job({
        id: 'v-second',
        store: second,
        schedule: 'daily',
        options: since('4.1') ? { 'read-threads': 2, 'verify-threads': 4 } : {},
        lastRun: run('verificationjob', `${second}:v-second`, 20, 'WARNINGS: 2'),
      }),
      job({ id: 'v-new', store: main, ns: 'site-b', schedule: 'sun 03:00', options: { 'max-depth': 0 } }),
      job({ id: 'v-manual', store: second, comment: 'by a user only' }),
    ],
    prune: [
      {
        ...job({
          id: 'p-daily',
          store: main,
          schedule: 'daily',
          options: { 'keep-last': 3, 'keep-daily': 14, 'keep-monthly': 6, 'max-depth': 7 },
          lastRun: run('prunejob', main, 19, 'OK'),
        }),
        disable: false,
      },
      {
        ...job({
          id: 'p-running',
          store: second,
          schedule: 'hourly',
          options: { 'keep-weekly': 8 },
          lastRun: run('prunejob', second, 0, null),
        }),
        disable: false,
      },
      {
        ...job({ id: 'p-old', store: main, ns: 'site-a', schedule: 'weekly', options: { 'keep-yearly': 2 } }),
        disable: true,
        nextRun: null,
      },
    ],
    sync: [
      {
        ...job({
          id: 's-offsite',
          store: second,
          ns: 'site-a',
          schedule: '20:00',
          options: { 'remove-vanished': true, owner: 'backup@pbs', 'rate-in': '20 MiB' },
          lastRun: run('syncjob', `pbs-dr:vault:${second}:site-a:s-offsite`, 15, LONG_ERROR),
        }),
        direction: 'pull',
        remote: 'pbs-dr',
        remoteStore: 'vault',
        remoteNs: 'site-a',
      },
      {
        ...job({
          id: 's-local',
          store: second,
          schedule: '04:30',
          options: { 'group-filter': ['type:vm', 'exclude:group:vm/901'] },
          lastRun: run('syncjob', `-:${main}:${second}::s-local`, 9, 'unknown'),
        }),
        direction: 'pull',
        remote: null,
        remoteStore: main,
        remoteNs: null,
      },
      ...(since('3.3')
        ? [
            {
              ...job({
                id: 's-push',
                store: main,
                schedule: '23:15',
                options: since('3.4') ? { 'verified-only': true } : {},
                lastRun: run('syncjob', `pbs-dr:copies:${main}::s-push`, 14, 'OK'),
              }),
              direction: 'push' as const,
              remote: 'pbs-dr',
              remoteStore: 'copies',
              remoteNs: null,
            },
          ]
        : []),
    ],
    tape: [
      {
        ...job({
          id: 't-weekly',
          store: main,
          schedule: 'sun 06:00',
          options: { pool: 'offsite8', drive: 'lto8a', 'eject-media': true, 'latest-only': true },
          lastRun: run('tape-backup-job', `${main}:offsite8:lto8a:t-weekly`, 40, 'OK'),
        }),
        nextMediaLabel: 'PBS012L8',
      },
      {
        ...job({ id: 't-manual', store: second, options: { pool: 'offsite8', drive: 'lto8a' } }),
        nextMediaLabel: null,
      },
    ],
  }
}
