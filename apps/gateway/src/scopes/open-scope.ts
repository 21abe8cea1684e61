import { hash } from 'node:crypto'
import { privilegesMissing, type ServerScope, scopeTitle, shortDigest } from '@netbox-pbs/core'
import { type Frame, maxFrameBytes, RowFrame, rowTitle } from '@netbox-pbs/proxbox-client/contract'
import { Chunk, Effect, Stream } from 'effect'
import type { z } from 'zod'
import { aclCommands, gapsOf, hidesAll, inventoryGaps, ownerOnly } from '../permissions/gaps.ts'
import { type Permissions, readsAcl } from '../permissions/permissions.ts'
import { visibilityOf, visibilityWithPaths } from '../permissions/visibility.ts'
import { leftOut, type Note, NoteLimit } from './note.ts'
import { errorOf, ScopeFailed } from './scope-failed.ts'
import type { ServerSession } from './server-session.ts'

/** The rows of a scope, and notes about them. */
export interface Listing<Row extends RowFrame = RowFrame> {
  /** A list that has been read, or one that is read as it is pulled. */
  readonly items: ReadonlyArray<Row | Note> | Stream.Stream<Row | Note, ScopeFailed>
  /**
   * The ACL path on which the visibility of a row hangs. Left out where it hangs on none: the namespace of a group is
   * requested by name and refused when it is hidden, and a task belongs to no object.
   */
  readonly pathOf?: (row: Row) => string
  /**
   * The rows are made of checked values only, with their keys in the order of the contract: their lines are written
   * without reading them as a consumer does. A group of a million is one of these.
   */
  readonly canonical?: true
  /** Digests of the frames of groups that the caller has: such a frame is named, not sent. */
  readonly knownFrames?: ReadonlySet<string>
}

/**
 * Opens a scope: reads the caller's visibility and runs `list`, then returns the lines of the
 * scope, from `scope` to `complete` or `failed`, as a stream that never fails. Several scopes can
 * be opened ahead of each other: a listing that is an array is then read completely, with the
 * visibility after it.
 */
export const openScope = <Row extends RowFrame>(
  session: ServerSession,
  scope: ServerScope,
  list: Effect.Effect<Listing<Row>, ScopeFailed>,
): Effect.Effect<Stream.Stream<Line>> =>
  Effect.gen(function* () {
    yield* session.mayBegin
    const before = yield* session.permissionsBefore
    if (hidesAll(scope, before)) return yield* blindToken(session, before)
    if (ownerOnly(scope, before)) return yield* ownerOnlyFailure(scope)
    const limit = new NoteLimit()
    const counted = { rows: 0, leftOut: 0 }
    const seen = new Set<string>()
    const gaps = gapsOf(scope, before).map(({ privilege, path, hides }) => ({
      code: privilegesMissing,
      message: `without ${privilege} on ${path} and below, ${hides} stay hidden; grant it to both the token and its user`,
    }))
    const noteLine = (note: Note): ReadonlyArray<Line> => {
      counted.leftOut += note.leftOut ?? 0
      return limit.admit(note) ? [warning(scope, note)] : []
    }
    const toLines = (item: Row | Note, { pathOf, canonical, knownFrames }: Listing<Row>): ReadonlyArray<Line> => {
      if (!('frame' in item)) return noteLine(item)
      if (pathOf !== undefined) seen.add(pathOf(item))
      const { line, notes } = canonical === true ? boundedLine(item, []) : rowLine(item)
      const noted = notes.flatMap(noteLine)
      if (line === null) return noted
      counted.rows += rowsOf(line.frame)
      const sent = knownFrames === undefined ? line : unlessKnown(line, knownFrames)
      return noted.length === 0 ? [sent] : [...noted, sent]
    }
    const closing = Effect.gen(function* () {
      const privileges = yield* sameVisibility(session, scope, before)
      const visibility =
        scope.resource === 'snapshots' || readsAcl(before) ? privileges : visibilityWithPaths(privileges, seen)
      const rest = limit.rest().map((note) => warning(scope, note))
      const { rows: count, leftOut } = counted
      return [
        ...rest,
        lineOf({ frame: 'complete', ...scope, count, visibility, ...(leftOut === 0 ? {} : { left_out: leftOut }) }),
      ]
    })

    const listing = yield* list
    const { items } = listing
    const opening = lineOf({ frame: 'scope', ...scope })
    if (Symbol.iterator in items) {
      const lines = [...gaps, ...items].flatMap((item) => toLines(item, listing))
      return Stream.fromIterable([opening, ...lines, ...(yield* closing)])
    }
    const pulled = Stream.concat(Stream.fromIterable<Row | Note>(gaps), items)
    return Stream.make(opening).pipe(
      Stream.concat(
        Stream.mapChunks(pulled, (chunk) =>
          Chunk.unsafeFromArray(Chunk.toReadonlyArray(chunk).flatMap((item) => toLines(item, listing))),
        ),
      ),
      Stream.concat(Stream.flattenIterables(Stream.fromEffect(closing))),
      Stream.catchAll((failure) => Stream.fromEffect(closeFailed(session, scope, failure))),
    )
  }).pipe(
    Effect.catchAll((failure) =>
      Effect.map(closeFailed(session, scope, failure), (line) =>
        Stream.make(lineOf({ frame: 'scope', ...scope }), line),
      ),
    ),
  )

/** How many rows of its scope's model a frame stands for. */
const rowsOf = (frame: RowFrame): number => {
  if (frame.frame === 'group') return frame.snapshots.length
  return frame.frame === 'unchanged_group' || frame.frame === 'unchanged_frame' ? frame.count : 1
}

/** The line of a group, or in its place that of its name, where the caller has a frame of the same digest. */
const unlessKnown = (line: Line, known: ReadonlySet<string>): Line => {
  const { frame, text } = line
  if (frame.frame !== 'group') return line
  const digest = shortDigest(hash('sha256', text.slice(0, -1), 'hex'))
  if (!known.has(digest)) return line
  const { server, backup_type, backup_id, snapshots } = frame
  return lineOf({ frame: 'unchanged_frame', server, backup_type, backup_id, digest, count: snapshots.length })
}

/** The part of a failure that its frame carries. */
type Failure = Pick<ScopeFailed, 'code' | 'message' | 'retryable' | 'presentedFingerprint'> & {
  readonly serverAnswers?: boolean
}

/** The lines of a scope that fails without a request. */
export const failedScope = (scope: ServerScope, failure: Failure) =>
  Stream.make(lineOf({ frame: 'scope', ...scope }), failedLine(scope, failure))

const closeFailed = (session: ServerSession, scope: ServerScope, failure: ScopeFailed): Effect.Effect<Line> =>
  Effect.map(session.stillAnswers(failure), (serverAnswers) => failedLine(scope, failureOf(failure, serverAnswers)))

/** A failure, and whether the server answered after it. */
export const failureOf = (
  { code, message, retryable, presentedFingerprint }: ScopeFailed,
  serverAnswers: boolean,
): Failure => ({ code, message, retryable, presentedFingerprint, serverAnswers })

const failedLine = (scope: ServerScope, failure: Failure): Line => {
  const frame: Frame = {
    frame: 'failed',
    ...scope,
    error: errorOf(failure),
    retryable: failure.retryable,
    ...(failure.serverAnswers === true ? { server_answers: true } : {}),
  }
  return lineOf(frame)
}

const warning = (scope: ServerScope, { code, message }: Note): Line =>
  lineOf({ frame: 'warning', ...scope, code, message })

/**
 * The visibility, if it is the same after the listing as before: otherwise the list may have been
 * cut in the middle.
 */
const sameVisibility = (
  session: ServerSession,
  scope: ServerScope,
  before: Permissions,
): Effect.Effect<string, ScopeFailed> =>
  Effect.gen(function* () {
    const visibility = visibilityOf(scope, before)
    if (visibilityOf(scope, yield* session.permissionsNow) === visibility) return visibility
    return yield* new ScopeFailed({
      code: 'protocol',
      message: `the privileges of the token changed while the ${scopeTitle(scope)} were listed; the next run lists them again`,
      retryable: true,
    })
  })

const ownerOnlyFailure = (scope: ServerScope) =>
  new ScopeFailed({
    code: 'forbidden',
    message: `the token may not list all ${scopeTitle(scope)}, only its own; grant Datastore.Audit to both the token and its user`,
    retryable: false,
  })

/**
 * The failure of a token that lists no datastore; its message has the commands that grant the
 * missing privileges. The server may well have datastores, so it is not read as empty.
 */
export const blindToken = ({ endpoint }: Pick<ServerSession, 'endpoint'>, permissions: Permissions): ScopeFailed => {
  const commands = aclCommands(inventoryGaps(permissions), endpoint.token_id)
  return new ScopeFailed({
    code: 'forbidden',
    message: `the token ${endpoint.token_id} sees no datastore of ${endpoint.name}. On that server, run: ${commands.join('; ')}`,
    retryable: false,
  })
}

/** A frame and its line, newline included. */
export interface Line {
  readonly frame: Frame
  readonly text: string
}

/** The line of a frame whose keys are written in the order of the contract. */
export const lineOf = <F extends Frame>(frame: F) => ({ frame, text: `${JSON.stringify(frame)}\n` })

/**
 * The part of a row that can be sent: all of it, a group without some of its snapshots, or nothing.
 * Each part that is left out has a note.
 */
interface RowLine {
  readonly line: (Line & { readonly frame: RowFrame }) | null
  readonly notes: ReadonlyArray<Note>
}

/**
 * The line of a row; one that is larger than a frame may be is left out. The frame is read as its
 * consumer will read it: that puts its keys into the order of the contract, and a value that breaks
 * the contract costs only its own snapshot or row.
 */
export const rowLine = (row: RowFrame): RowLine => {
  const read = RowFrame.safeParse(row)
  if (read.success) return boundedLine(read.data, [])
  const { issues } = read.error
  const [first] = issues
  if (row.frame !== 'group' || issues.some(({ path }) => path[0] !== 'snapshots')) {
    const why = first === undefined ? 'it breaks the contract' : `${fieldOf(first.path)}: ${first.message}`
    return { line: null, notes: [leftOut(rowTitle(row), why)] }
  }
  const bad = new Map(issues.map((issue) => [issue.path[1], issue]))
  const rest = RowFrame.parse({
    ...row,
    left_out: (row.left_out ?? 0) + bad.size,
    snapshots: row.snapshots.filter((_, index) => !bad.has(index)),
  })
  const notes = [...bad.values()].map(({ path, message }) =>
    leftOut(rowTitle(row, path), `${fieldOf(path.slice(2))}: ${message}`),
  )
  return boundedLine(rest, notes)
}

const fieldOf = (path: z.core.$ZodIssue['path']): string => path.map(String).join('.')

const boundedLine = (frame: RowFrame, notes: ReadonlyArray<Note>): RowLine => {
  const line = lineOf(frame)
  if (!isTooLarge(line.text)) return { line, notes }
  return {
    line: null,
    notes: [
      ...notes,
      leftOut(rowTitle(frame), `it is larger than ${maxFrameBytes / 1024 / 1024} MiB and cannot be passed on`),
    ],
  }
}

/**
 * A text has at least as many bytes as UTF-16 units, and at most three times as many: only a text
 * between is measured.
 */
const isTooLarge = (text: string): boolean =>
  text.length > maxFrameBytes || (text.length * 3 > maxFrameBytes && Buffer.byteLength(text) - 1 > maxFrameBytes)
