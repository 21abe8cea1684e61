import {
  type Change,
  diff,
  groupKeyOf,
  keyText,
  naturalKey,
  type Scope,
  type ScopeOutcome,
  type SourceRows,
  scopeTitle,
} from '@netbox-pbs/core'
import {
  Branches,
  ChangeSets,
  type GroupDigest,
  Inventory,
  type KnownGroup,
  Runs,
  type SourceFrame,
  type SourceGroup,
  type StoreFailed,
  type WaitingGroup,
} from '@netbox-pbs/core/ports'
import { Array as Arr, Effect, Stream } from 'effect'
import { now } from '../timestamp.ts'
import { BackgroundTask } from './background-task.ts'
import { type Emptying, noChildren } from './child-rows.ts'
import { isWaiting, KnownGroups } from './known-groups.ts'
import {
  appendChanges,
  appendSightings,
  batchRows,
  ChangeTally,
  judge,
  landScope,
  nothingDeleted,
  type ReadyScope,
} from './land-scope.ts'
import type { RowFrame } from './read-step.ts'
import {
  breach,
  type Completed,
  type JobStopped,
  ScopeBroken,
  type ScopePorts,
  type ScopeWork,
  type ServerJob,
} from './scope-work.ts'

/** The snapshots of one namespace. */
type SnapshotScopeName = Extract<Scope, { readonly resource: 'snapshots' }>
type GroupFrame = Extract<SourceFrame, { readonly _tag: 'group' }>
type UnchangedFrame = Extract<SourceFrame, { readonly _tag: 'unchanged_frame' }>

/** A group whose frame is new, with the one of its key that main has. */
interface ReadGroup {
  readonly group: SourceGroup
  /** The key of the group, for its snapshots. */
  readonly within: SourceRows<'snapshot'>['within']
  readonly known: KnownGroup | undefined
  readonly digest: GroupDigest
}

/** Groups compared at a time, however few snapshots they have. */
const batchGroups = 500

/**
 * The snapshots scope of one namespace. A group whose frame has the digest of its last landing, or
 * of its last staging while its changes wait in a branch, is counted and dropped unread; the others
 * are parsed, and compared several at a time while the next are read.
 */
export class SnapshotScope implements ScopeWork {
  readonly #job: ServerJob
  readonly #scope: SnapshotScopeName
  readonly #started: string
  readonly #groups: KnownGroups
  readonly #background: BackgroundTask
  readonly #tally = new ChangeTally()
  #listed = 0
  /** Groups that are absent from now on, or listed again. */
  #sighted = 0
  /** Some groups were not compared: their rows in the list of groups are as they were, or a user edited them just now. */
  #isPartial = false
  /** Groups whose changes stay in the branch where they wait. */
  readonly #retained: Array<WaitingGroup> = []
  #batch: Array<ReadGroup> = []
  #batchRows = 0

  private constructor(
    job: ServerJob,
    scope: SnapshotScopeName,
    started: string,
    groups: KnownGroups,
    background: BackgroundTask,
  ) {
    this.#job = job
    this.#background = background
    this.#scope = scope
    this.#started = started
    this.#groups = groups
  }

  /** Reads the groups that main has in the namespace, and those that wait when the run stages in a branch. */
  static readonly open = (
    job: ServerJob,
    scope: SnapshotScopeName,
    background: BackgroundTask,
  ): Effect.Effect<SnapshotScope, StoreFailed, Inventory | Branches> =>
    Effect.gen(function* () {
      const started = yield* now
      const groups = new KnownGroups()
      const { datastore, namespace } = scope
      const main = (yield* Inventory).groups({ serverId: job.serverId, datastore, namespace })
      yield* Stream.runForEach(main, (group) => Effect.sync(() => groups.add(group)))
      if (job.branch !== null) {
        const waiting = (yield* Branches).waitingGroups({ serverId: job.serverId, datastore, namespace })
        yield* Stream.runForEach(waiting, (group) => Effect.sync(() => groups.addWaiting(group)))
      }
      return new SnapshotScope(job, scope, started, groups, background)
    })

  get listed(): number {
    return this.#listed
  }

  row(frame: RowFrame): Effect.Effect<void, ScopeBroken | JobStopped, ScopePorts> | null {
    if (frame._tag === 'unchanged_group') return this.#unread(frame.listDigest)
    if (frame._tag === 'unchanged_frame') return this.#notSent(frame)
    if (frame._tag !== 'group') return null
    const same = this.#groups.withDigest(frame.digest)
    if (same !== undefined) return this.#asMainHasIt(same, same.listed)
    const waiting = this.#groups.waitingWithDigest(frame.digest)
    return waiting === undefined ? this.#read(frame) : this.#retain(waiting)
  }

  /** A group that stays as main has it, with so many snapshots at its source. */
  #asMainHasIt(group: KnownGroup, listed: number): ScopeBroken | null {
    if (!this.#groups.list(group)) return this.#twice()
    this.#listed += listed
    this.#tally.unchanged += listed
    return null
  }

  /**
   * A group whose frame was known when it was requested. A user may have edited it since: then it stays as it is,
   * the scope is not listed in full, and the next run, which no longer knows the frame, reads it.
   */
  #notSent({ backupType, backupId, digest, count }: UnchangedFrame): ScopeBroken | null {
    const same = this.#groups.withShortDigest(digest)
    if (same !== undefined) return this.#asMainHasIt(same, count)
    const { datastore: datastore_name, namespace } = this.#scope
    const key = { server: this.#job.serverId, datastore_name, namespace, backup_type: backupType, backup_id: backupId }
    const edited = this.#groups.withKey(keyText(naturalKey('group', key)))
    if (edited === undefined) return this.#goneHere()
    this.#isPartial = true
    return this.#asMainHasIt(edited, count)
  }

  /** A group of which the source has read its row only: it stays as main has it. */
  #unread(listDigest: string): ScopeBroken | null {
    const known = this.#groups.withListDigest(listDigest)
    if (known === undefined) return this.#goneHere()
    this.#isPartial = true
    return this.#asMainHasIt(known, known.listed)
  }

  #goneHere(): ScopeBroken {
    return breach(
      `${scopeTitle(this.#scope)} name a group as unchanged that was deleted here while they were read; the next run reads it`,
    )
  }

  #twice(): ScopeBroken {
    return breach(`${scopeTitle(this.#scope)} list a group twice`)
  }

  #retain(waiting: WaitingGroup): ScopeBroken | null {
    const key = keyText(waiting.key)
    if (!this.#groups.list(this.#groups.withKey(key) ?? key)) return this.#twice()
    this.#retained.push(waiting)
    this.#listed += waiting.listed
    this.#tally.addWaiting(waiting)
    return null
  }

  complete({
    count,
    visibility,
    leftOut,
  }: Completed): Effect.Effect<ScopeOutcome, ScopeBroken | JobStopped, ScopePorts> {
    return Effect.gen(this, function* () {
      if (count !== this.#listed) {
        const title = scopeTitle(this.#scope)
        return yield* breach(`${title} ended with a count of ${count}, but ${this.#listed} rows came`)
      }
      yield* this.#compareBatch
      yield* this.#background.over
      yield* this.#appendRetained
      const verdict = leftOut > 0 ? nothingDeleted : yield* this.#judgeUnlisted(visibility)
      const { outcome } = yield* this.#land({ verdict, visibility, listed: true, leftOut })
      return outcome
    })
  }

  /**
   * Deletes all rows of the namespace in main, because a complete list lacks the namespace itself;
   * without such rows it writes nothing. Returns the rows that stay.
   */
  static readonly empty = Effect.fn('sync.emptySnapshots')(function* (
    job: ServerJob,
    scope: SnapshotScopeName,
    { runId, visibility, upstreamHold }: Emptying,
  ) {
    const self = yield* SnapshotScope.open(job, scope, yield* BackgroundTask.make)
    yield* self.#removeUnlisted(runId)
    const { changes, deletions, alreadyMissing } = self.#tally
    const noted = self.#sighted
    if (changes + noted === 0) return noChildren
    const verdict = yield* judge(job, {
      scope,
      listed: 0,
      deletions,
      alreadyMissing,
      visibility,
      emptied: { upstreamHold },
    })
    const { counts } = yield* self.#land({ verdict, visibility, listed: false, leftOut: 0 })
    const waiting = counts.held_back
    return { waiting, kept: verdict.missing === 'kept' && waiting === 0 ? alreadyMissing : 0, noted }
  })

  #read(frame: GroupFrame) {
    return Effect.gen(this, function* () {
      const group = yield* frame.parse.pipe(
        Effect.mapError(({ code, message }) => new ScopeBroken({ code, message })),
        Effect.filterOrFail(
          (read) => this.#fits(read),
          () => breach(`${scopeTitle(this.#scope)} list a group of elsewhere`),
        ),
      )
      const { datastore_name, namespace, backup_type, backup_id } = group.facts
      const within = { server: this.#job.serverId, datastore_name, namespace, backup_type, backup_id }
      const key = naturalKey('group', within)
      const text = keyText(key)
      const known = this.#groups.withKey(text)
      if (!this.#groups.list(known ?? text)) return yield* this.#twice()
      const listed = group.snapshots.length
      this.#batch.push({
        group,
        within,
        known,
        digest: { key, digest: frame.digest, listed, listDigest: group.listDigest },
      })
      this.#batchRows += Math.max(listed, known?.listed ?? 0)
      this.#listed += listed
      if (this.#batchRows >= batchRows || this.#batch.length >= batchGroups) yield* this.#compareBatch
    })
  }

  #fits({ facts }: SourceGroup): boolean {
    const { datastore, namespace } = this.#scope
    return facts.datastore_name === datastore && facts.namespace === namespace
  }

  /** Compares the groups read since the last batch, while the next batch is read. */
  get #compareBatch() {
    return Effect.suspend(() => {
      const read = this.#batch
      this.#batch = []
      this.#batchRows = 0
      return read.length === 0 ? Effect.void : this.#background.start(this.#compare(read))
    })
  }

  #compare(read: ReadonlyArray<ReadGroup>) {
    return Effect.gen(this, function* () {
      const known = read.flatMap((group) => (group.known === undefined ? [] : [group.known]))
      const rows = known.length === 0 ? [] : yield* Stream.runCollect(yield* snapshotsOf(known))
      const listed = { within: { server: this.#job.serverId }, rows: read.map(({ group }) => group.facts) }
      const groups = diff({ model: 'group', main: known, source: [listed], complete: false })
      const source = read.map(({ within, group }) => ({ within, rows: group.snapshots }))
      const snapshots = diff({ model: 'snapshot', main: rows, source, complete: true })
      this.#tally.add(groups.changes, false)
      this.#tally.add(snapshots.changes, true)
      this.#tally.unchanged += snapshots.unchanged
      yield* (yield* ChangeSets).append({
        changeSet: this.#job.changeSet,
        scope: this.#scope,
        model: 'group',
        changes: groups.changes,
        digests: this.#digestsOf(read, snapshots.changes),
      })
      this.#sighted += yield* appendSightings(this.#job, this.#scope, 'group', groups)
      yield* appendChanges(this.#job, this.#scope, 'snapshot', snapshots.changes)
    })
  }

  /**
   * The digests of groups. In a branch those are left out of which the run warns: they are read again,
   * so that the next run warns of them too while they wait.
   */
  #digestsOf(read: ReadonlyArray<ReadGroup>, changes: ReadonlyArray<Change<'snapshot'>>): ReadonlyArray<GroupDigest> {
    const digests = read.map(({ digest }) => digest)
    if (this.#job.branch === null) return digests
    const warned = new Set(changes.flatMap((change) => (isBroken(change) ? [keyText(groupKeyOf(change.key))] : [])))
    return warned.size === 0 ? digests : digests.filter(({ key }) => !warned.has(keyText(key)))
  }

  get #appendRetained() {
    return Effect.gen(this, function* () {
      const [first] = this.#retained
      if (first === undefined) return
      const changeSets = yield* ChangeSets
      const { changeSet } = this.#job
      for (const part of Arr.chunksOf(this.#retained, batchRows)) {
        const retained = { branch: first.branch, keys: part.map(({ key }) => key) }
        yield* changeSets.append({ changeSet, scope: this.#scope, model: 'group', changes: [], retained })
      }
    })
  }

  /** Deletes the rows that a complete list lacks, and returns the decision on them. */
  #judgeUnlisted(visibility: string | null) {
    return Effect.gen(this, function* () {
      yield* this.#removeUnlisted(this.#job.runId)
      const { deletions, alreadyMissing } = this.#tally
      return yield* judge(this.#job, {
        scope: this.#scope,
        listed: this.#listed,
        deletions,
        alreadyMissing,
        visibility,
      })
    })
  }

  /**
   * Deletes the groups that are not listed, with their snapshots. `runId`: the run whose list lacks
   * them; null: the namespace itself is gone, and they with it.
   */
  #removeUnlisted(runId: number | null) {
    return Effect.gen(this, function* () {
      for (const unlisted of this.#groups.unlisted(batchGroups)) {
        const run = runId === null ? {} : { runId }
        const compared = diff({ model: 'group', main: unlisted, ...nothing, ...run })
        this.#sighted += yield* appendSightings(this.#job, this.#scope, 'group', compared)
        // A group that waits for a second list keeps its snapshots, except those that are missing
        // already. A group that exists only by its snapshots does not change them.
        const [going, waiting] = Arr.partition(unlisted, (group) => isWaiting(group, runId))
        const rows = Stream.concat(
          yield* snapshotsOf(going),
          Stream.filter(yield* snapshotsOf(waiting), ({ presence }) => presence === 'missing'),
        )
        yield* Stream.runForEach(Stream.grouped(rows, batchRows), (main) =>
          this.#remove('snapshot', diff({ model: 'snapshot', main, ...nothing })),
        )
        yield* this.#remove('group', compared)
      }
    })
  }

  #remove<M extends 'group' | 'snapshot'>(model: M, { changes }: ReturnType<typeof diff<M>>) {
    this.#tally.add(changes, model === 'snapshot')
    return appendChanges(this.#job, this.#scope, model, changes)
  }

  #land(ended: Pick<ReadyScope, 'verdict' | 'visibility' | 'listed' | 'leftOut'>) {
    return Effect.gen(this, function* () {
      const { missing, unchanged } = this.#tally
      const changes = this.#tally.changes - (ended.verdict.missing === 'kept' ? missing : 0)
      const scope = this.#scope
      const warnings = this.#tally.warnings(scope)
      if (warnings.length > 0) yield* (yield* Runs).warn({ id: this.#job.runId, warnings })
      const started = this.#started
      const fullSince = this.#isPartial ? null : started
      return yield* landScope(this.#job, {
        ...ended,
        scope,
        started,
        changes,
        unchanged,
        sighted: this.#sighted,
        fullSince,
      })
    })
  }
}

const isBroken = (change: Change<'snapshot'>): boolean => change._tag === 'update' && change.broken.length > 0

/** A complete list without rows. */
const nothing = { source: [], complete: true } as const

const snapshotsOf = (groups: ReadonlyArray<KnownGroup>) =>
  Effect.map(Inventory, (inventory) => inventory.snapshots({ groupIds: groups.map(({ id }) => id) }))
