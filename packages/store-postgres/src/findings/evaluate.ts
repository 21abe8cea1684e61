import {
  type Cause,
  findingKey,
  formatTimestamp,
  judgeFleet,
  type ReconciledFindings,
  reconcileFindings,
  type StoredFinding,
} from '@netbox-pbs/core'
import type { EvaluationCounts } from '@netbox-pbs/core/ports'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { jsonb } from '../database/statement-values.ts'
import type { Tables } from '../database/tables.ts'
import { recordProposals } from '../protection/drills.ts'
import { settingsOf } from '../settings/settings-store.ts'
import { readFacts } from './read-facts.ts'
import { seconds } from './stored-values.ts'

/** When everything was judged last, and the last run that had ended then. */
interface Evaluation {
  readonly evaluated: number | null
  readonly is_due: boolean
}

/** When an evaluation is due: times are seconds since 1970. */
export interface Evaluating {
  readonly now: number
  /** How old the last one may be, in seconds. */
  readonly every: number
  /** A last one after this comes from a clock that was ahead, and counts for nothing. */
  readonly latest: number
  /** Whether it is due as soon as a run has ended. */
  readonly afterRuns: boolean
  /** Whether a worker asks, so that one runs. */
  readonly byWorker: boolean
}

const lastRunEnd = sql`(select r.completed from runs r where r.completed is not null order by r.completed desc, r.id desc limit 1)`

/** A time that is sent as seconds since 1970. */
const timeOf = (value: RawBuilder<unknown>): RawBuilder<unknown> => sql`to_timestamp(${value}::float8)`

/** Whether an evaluation is due. */
export async function isDue(db: Kysely<Tables>, evaluating: Evaluating): Promise<boolean> {
  return (await lastEvaluation(db, evaluating, sql``))?.is_due === true
}

async function lastEvaluation(
  db: Kysely<Tables>,
  { now, every, latest, afterRuns, byWorker }: Evaluating,
  lock: RawBuilder<unknown>,
): Promise<Evaluation | undefined> {
  const { rows } = await sql<Evaluation>`
    select ${seconds(sql`evaluated`)} as evaluated,
      case when evaluated is null then ${byWorker}::boolean else evaluated <= ${timeOf(sql`${now - every}`)} or evaluated > ${timeOf(sql`${latest}`)}
        or (${afterRuns}::boolean and ${lastRunEnd} is distinct from last_run_end) end as is_due
    from finding_evaluations where id = 1 ${lock}`.execute(db)
  return rows[0]
}

/**
 * Judges everything, and stores what becomes of the findings, in the transaction of `db`. Null: it is not
 * due, or another process is at it.
 */
export async function evaluate(db: Kysely<Tables>, evaluating: Evaluating): Promise<EvaluationCounts | null> {
  // The row is the lock: of two processes one judges, and the other leaves it to it.
  const last = await lastEvaluation(db, evaluating, sql`for update skip locked`)
  if (last?.is_due !== true) return null
  const { now, byWorker } = evaluating
  await sql`update finding_evaluations set evaluated = ${timeOf(sql`${now}`)}, last_run_end = ${lastRunEnd} where id = 1`.execute(
    db,
  )
  await recordProposals(db, formatTimestamp(now * 1000))
  const facts = await readFacts(db, { settings: await settingsOf(db), now })
  const workers = byWorker ? { running: 1, lastHeartbeat: now } : facts.workers
  const judgements = judgeFleet({ ...facts, workers })
  return await store(db, reconcileFindings(await openFindings(db), judgements, last.evaluated), now)
}

/** The findings that are not closed. */
export async function openFindings(db: Kysely<Tables>): Promise<ReadonlyArray<StoredFinding>> {
  const { rows } = await sql<StoredFinding>`
    select f.id, f.severity, f.count, f.sentence, f.step, f.under, ${seconds(sql`f.since`)} as since, ${seconds(sql`f.last_seen`)} as "lastSeen",
      jsonb_build_object('kind', f.kind, 'model', f.model, 'objectId', f.object_id, 'title', f.title,
        'server', case when f.server_id is not null then jsonb_build_object('id', f.server_id, 'name', f.server_name) end) as subject
    from findings f where f.closed is null order by f.id`.execute(db)
  return rows
}

async function store(
  db: Kysely<Tables>,
  { opened, changed, closed }: ReconciledFindings,
  now: number,
): Promise<EvaluationCounts> {
  if (closed.length > 0) {
    await sql`
      update findings f set closed = ${timeOf(sql`${now}`)}, closed_by = c.by, last_seen = to_timestamp(c."lastSeen"), under = null
      from jsonb_to_recordset(${jsonb(closed)}) as c (id bigint, by text, "lastSeen" float8) where f.id = c.id`.execute(
      db,
    )
  }
  if (changed.length > 0) {
    await sql`
      update findings f set severity = c.severity, title = c.title, server_id = c.server_id, server_name = c.server_name,
        since = to_timestamp(c.since), count = c.count, sentence = c.sentence, step = c.step, last_seen = to_timestamp(c."lastSeen"), under = c.under
      from ${rowsOf(changed.map((finding) => ({ ...columnsOf(finding), id: finding.id, lastSeen: finding.lastSeen, under: finding.under })))}
      where f.id = c.id`.execute(db)
  }
  if (opened.length > 0) {
    // The nth decides the order of ids, so that causes found together are numbered as they were judged.
    await sql`
      insert into findings (kind, severity, model, object_id, title, server_id, server_name, key, since, count, sentence, step, opened)
      select c.kind, c.severity, c.model, c.object_id, c.title, c.server_id, c.server_name, c.key, to_timestamp(c.since), c.count, c.sentence, c.step, ${timeOf(sql`${now}`)}
      from ${rowsOf(opened.map((cause, nth) => ({ ...columnsOf(cause), nth })))} order by c.nth`.execute(db)
  }
  return { opened: opened.length, closed: closed.length }
}

const columnsOf = ({ subject, severity, since, count, sentence, step }: Omit<Cause, 'noticed'>) => ({
  kind: subject.kind,
  severity,
  model: subject.model,
  object_id: subject.objectId,
  title: subject.title,
  server_id: subject.server?.id ?? null,
  server_name: subject.server?.name ?? '',
  key: findingKey(subject),
  since,
  count,
  sentence,
  step,
})

/** Findings as the rows `c` of a query. */
const rowsOf = (rows: ReadonlyArray<object>): RawBuilder<unknown> => sql`
  jsonb_to_recordset(${jsonb(rows)}) as c (kind text, severity text, model text, object_id bigint, title text, server_id bigint, server_name text, key text,
    since float8, count bigint, sentence text, step text, nth bigint, id bigint, "lastSeen" float8, under text)`
