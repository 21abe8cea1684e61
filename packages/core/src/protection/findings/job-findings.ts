import { clear, type FindingKind, type FindingSubject, findingKey, found, type Judged, unknown } from './finding.ts'
import { type ServerFacts, serverTrouble } from './server-findings.ts'
import { at, counted } from './words.ts'

/** How a job does, as it is stored. Times are seconds since 1970. */
export interface JudgedJob {
  readonly id: number
  readonly server: ServerFacts
  readonly type: string
  readonly jobId: string
  readonly health: string
  readonly healthSince: number | null
  /** Null: that cannot be counted. */
  readonly missedRuns: number | null
  readonly failedRuns: number
  readonly firstError: string
  readonly lastGoodRun: number | null
  /** When the tasks of its server were last read; null: never. */
  readonly readAt: number | null
}

const subjectOf = (kind: FindingKind, { id, type, jobId, server }: JudgedJob): FindingSubject => ({
  kind,
  model: 'job',
  objectId: id,
  title: `${type} job ${jobId} on ${server.name}`,
  server: { id: server.id, name: server.name },
})

/** Judges a job by its stored health. A job that is missed has one finding, also where its last run failed. */
export function judgeJob(job: JudgedJob): ReadonlyArray<Judged> {
  return (['job_missed', 'job_failing'] as const).map((kind) => {
    const subject = subjectOf(kind, job)
    const under = serverTrouble(job.server)
    if (under !== null || job.health === 'unknown') return unknown(subject, under)
    if (kind === 'job_missed' && job.health === 'missed') return missed(subject, job)
    if (kind === 'job_failing' && job.health === 'failing') return failing(subject, job)
    if (job.health === 'off') return clear(subject, 'It is switched off.')
    // While a run goes on its last failure is neither repeated nor repaired; a job that is missed has no newer one.
    if (kind === 'job_failing' && job.health === 'running') return unknown(subject)
    if (kind === 'job_failing' && job.health === 'missed') {
      return unknown(subject, findingKey(subjectOf('job_missed', job)))
    }
    return clear(
      subject,
      kind === 'job_missed'
        ? `It has started, as its tasks say${at(job.readAt)}.`
        : `It ran well${at(job.lastGoodRun)}.`,
    )
  })
}

function missed(subject: FindingSubject, { healthSince, missedRuns }: JudgedJob): Judged {
  const times = missedRuns === null || missedRuns <= 1 ? '' : `, ${missedRuns} times in a row`
  return found({
    subject,
    severity: 'warning',
    since: healthSince,
    sentence: `The ${subject.title} was due and has not started${times}`,
    step: 'On the server, look whether proxmox-backup-proxy runs and what its journal says of the schedule; start the job there.',
  })
}

function failing(subject: FindingSubject, { healthSince, failedRuns, firstError }: JudgedJob): Judged {
  const error = firstError === '' ? '' : `: ${firstError}`
  return found({
    subject,
    severity: 'warning',
    since: healthSince,
    sentence: `The ${subject.title} has failed${failedRuns > 1 ? ` ${counted(failedRuns, 'time')} in a row` : ''}${error}`,
    step: 'Read the log of its last task, mend the cause, and start the job on the server.',
  })
}
