import { clockDiffers } from '../../health/server-health.ts'
import { clear, type FindingKind, type FindingSubject, findingKey, found, type Judged, unknown } from './finding.ts'
import { at } from './words.ts'

/** What is known of a server. Times are seconds since 1970. */
export interface ServerFacts {
  readonly id: number
  readonly name: string
  readonly host: string
  readonly status: string
  readonly statusSince: number | null
  /** The last failure, which an answer removes; empty: none. */
  readonly errorCode: string
  readonly error: string
  readonly errorAt: number | null
  readonly clockOffset: number | null
  readonly lastSeen: number | null
  /** What the newest run that ended says of its privileges; null: none has read it. */
  readonly privileges: PrivilegeFacts | null
}

/** What a run says of the privileges of a server's token. */
export interface PrivilegeFacts {
  /** When the run ended. */
  readonly at: number
  /** What is hidden from the token, one sentence for each list. */
  readonly missing: ReadonlyArray<string>
  /** Whether it read every list of the server, so that it would have said what else is hidden. */
  readonly whole: boolean
}

/** The kinds that say why a server cannot be read. At most one of them is found at a time. */
const contactKinds = ['server_unreachable', 'server_refused', 'certificate_changed', 'certificate_untrusted'] as const

type ContactKind = (typeof contactKinds)[number]

/** Why nothing of a server can be read now; null: it answers, or it was never asked. */
function contactFailure({ status, errorCode }: ServerFacts): ContactKind | null {
  if (errorCode === 'tls_fingerprint_mismatch') return 'certificate_changed'
  if (errorCode === 'tls_untrusted') return 'certificate_untrusted'
  if (errorCode === 'unauthorized' || errorCode === 'forbidden') return 'server_refused'
  return status === 'unreachable' ? 'server_unreachable' : null
}

/** The key of the finding that says why nothing of a server is known; null: it is read. */
export function serverTrouble(server: ServerFacts): string | null {
  const kind = contactFailure(server)
  return kind === null ? null : findingKey({ kind, objectId: server.id })
}

const subjectOf = (kind: FindingKind, { id, name }: ServerFacts): FindingSubject => ({
  kind,
  model: 'server',
  objectId: id,
  title: name,
  server: { id, name },
})

/** Judges a server by its last contact, its clock and its token. */
export function judgeServer(server: ServerFacts): ReadonlyArray<Judged> {
  return [...judgeContact(server), judgeClock(server), judgePrivileges(server)]
}

/** Says of each kind of failure whether it is the present one, and what shows that it is over. */
function judgeContact(server: ServerFacts): ReadonlyArray<Judged> {
  const failure = contactFailure(server)
  return contactKinds.map((kind) => {
    const subject = subjectOf(kind, server)
    if (kind === failure) return foundContact(kind, server)
    if (failure === null) {
      return server.status === 'reachable'
        ? clear(subject, `${server.name} answered${at(server.lastSeen)}.`)
        : unknown(subject)
    }
    // Of a server that cannot be reached neither its certificate nor its token is known.
    if (failure === 'server_unreachable') return unknown(subject, findingKey(subjectOf(failure, server)))
    // Whatever else is wrong, it was reached; and a token is refused only over an accepted certificate.
    const showsMore = kind === 'server_unreachable' || failure === 'server_refused'
    return showsMore
      ? clear(subject, `${server.name} answered${at(server.errorAt)}, with another error.`)
      : kind === 'server_refused'
        ? unknown(subject, findingKey(subjectOf(failure, server)))
        : clear(subject, `${server.name} showed another certificate${at(server.errorAt)}.`)
  })
}

function foundContact(kind: ContactKind, server: ServerFacts): Judged {
  const { name, host, error, statusSince, errorAt } = server
  const reason = error === '' ? '' : `: ${error}`
  const told = contactTexts[kind]
  return found({
    subject: subjectOf(kind, server),
    severity: 'critical',
    ...(kind === 'server_unreachable' ? { since: statusSince ?? errorAt } : { since: errorAt, noticed: true }),
    sentence: `${name} ${told.what}${reason}`,
    step: told.step(name, host),
  })
}

const contactTexts: Readonly<
  Record<ContactKind, { readonly what: string; readonly step: (name: string, host: string) => string }>
> = {
  server_unreachable: {
    what: 'cannot be reached',
    step: (name, host) =>
      `Check that ${host} is on the network and that proxmox-backup-proxy runs there, then test ${name}.`,
  },
  server_refused: {
    what: 'refuses its API token',
    step: (name) =>
      `Check that the token and its user are enabled on ${name} and have the role Audit, then test the server.`,
  },
  certificate_changed: {
    what: 'shows another certificate than the pinned one',
    step: (name) =>
      `Compare the presented fingerprint with proxmox-backup-manager cert info on ${name}; pin it only where they are equal.`,
  },
  certificate_untrusted: {
    what: 'shows a certificate that no known authority signed',
    step: (name) => `Pin the fingerprint that proxmox-backup-manager cert info shows on ${name}.`,
  },
}

function judgeClock(server: ServerFacts): Judged {
  const subject = subjectOf('clock_differs', server)
  const { name, clockOffset, lastSeen } = server
  // The offset of the last answer stays stored while a server cannot be read.
  const under = serverTrouble(server)
  if (clockOffset === null || under !== null || server.status !== 'reachable') return unknown(subject, under)
  if (!clockDiffers(clockOffset)) return clear(subject, `The clock of ${name} was right${at(lastSeen)}.`)
  return found({
    subject,
    severity: 'warning',
    since: lastSeen,
    noticed: true,
    sentence: `The clock of ${name} is ${clockOffset > 0 ? 'ahead' : 'behind'} by more than a minute, so its times mislead`,
    step: `Set up time synchronization on ${name}: timedatectl shows its state.`,
  })
}

function judgePrivileges(server: ServerFacts): Judged {
  const subject = subjectOf('privileges_missing', server)
  const { name, privileges } = server
  const under = serverTrouble(server)
  if (privileges === null || under !== null) return unknown(subject, under)
  if (privileges.missing.length === 0) {
    return privileges.whole ? clear(subject, `A run read every list of ${name}${at(privileges.at)}.`) : unknown(subject)
  }
  return found({
    subject,
    severity: 'warning',
    since: privileges.at,
    noticed: true,
    count: privileges.missing.length,
    sentence: `The token of ${name} lacks privileges: ${privileges.missing[0]}`,
    step: `Test ${name}: the test names the commands that grant them.`,
  })
}
