import { clear, type FindingSubject, found, type Judged, unknown } from './finding.ts'
import { type ServerFacts, serverTrouble } from './server-findings.ts'
import { at } from './words.ts'

/** What a sync job has copied. Times are seconds since 1970. */
export interface SyncFacts {
  readonly id: number
  readonly server: ServerFacts
  readonly jobId: string
  /** Copies that lack backups although the job ended well; null: the job copies some backups only. */
  readonly silentCopies: number | null
  readonly silentSince: number | null
  readonly lastGoodRun: number | null
}

/** Judges a sync job: whether it ends well while its copies lag. */
export function judgeSync({ id, server, jobId, silentCopies, silentSince, lastGoodRun }: SyncFacts): Judged {
  const subject: FindingSubject = {
    ...{ kind: 'sync_silent', model: 'job', objectId: id, title: `sync job ${jobId} on ${server.name}` },
    server: { id: server.id, name: server.name },
  }
  const under = serverTrouble(server)
  if (under !== null || silentCopies === null || lastGoodRun === null) return unknown(subject, under)
  if (silentCopies === 0) return clear(subject, `The copies have what was there before its run${at(lastGoodRun)}.`)
  return found({
    subject,
    severity: 'warning',
    since: silentSince,
    count: silentCopies,
    sentence: `The ${subject.title} ends well, but ${silentCopies === 1 ? '1 copy' : `${silentCopies} copies`} did not get the newest backups`,
    step: 'Look at its group filter, at the owner of the groups and at the rights of its remote; the log of its task names the groups.',
  })
}
