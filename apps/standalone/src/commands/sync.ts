import { Effect } from 'effect'
import { z } from 'zod'
import { CannotRun } from '../failures.ts'
import { call, type Remote } from '../remote/remote-api.ts'
import { progress, say, table } from '../terminal.ts'

const Counts = z.object({
  created: z.int(),
  updated: z.int(),
  deleted: z.int(),
  unchanged: z.int(),
  held_back: z.int(),
})
const Run = z.object({
  id: z.int(),
  status: z.object({
    value: z.enum(['pending', 'running', 'completed', 'incomplete', 'failed', 'cancelled']),
    label: z.string(),
  }),
  counts: Counts,
  rows_read: z.int(),
  error: z.string(),
  scopes: z.array(
    z.object({
      display: z.string(),
      outcome: z.object({ value: z.string(), label: z.string() }),
      reason: z.object({ code: z.string(), message: z.string() }).nullable(),
    }),
  ),
  warnings: z.array(z.object({ display: z.string(), code: z.string(), count: z.int() })),
})
type Run = z.infer<typeof Run>
const runs = '/api/plugins/pbs/sync-runs/'
const ended = new Set(['completed', 'incomplete', 'failed', 'cancelled'])

/** Starts a run, shows how it goes, and says what came of it. Fails unless the run completed. */
export const syncNow = (
  remote: Remote,
  request: { readonly resources?: ReadonlyArray<string>; readonly servers?: ReadonlyArray<string> },
) =>
  Effect.gen(function* () {
    const { id } = yield* call(remote)({ method: 'POST', path: runs, body: request, answer: z.object({ id: z.int() }) })
    const read = call(remote)({ method: 'GET', path: `${runs}${id}/`, answer: Run })
    let run = yield* read
    while (!ended.has(run.status.value)) {
      progress(`run ${id}: ${run.status.label}, ${run.rows_read} rows read`)
      yield* Effect.sleep('300 millis')
      run = yield* read
    }
    progress('')
    report(run)
    if (run.status.value !== 'completed')
      return yield* new CannotRun({ message: `run ${id} ended ${run.status.value}` })
  })

function report(run: Run): void {
  const { created, updated, deleted, unchanged, held_back } = run.counts
  say(
    `run ${run.id} ${run.status.value}: ${created} created, ${updated} updated, ${deleted} deleted, ${unchanged} unchanged, ${held_back} held back`,
  )
  const notable = run.scopes.filter(({ outcome }) => outcome.value !== 'landed')
  if (notable.length > 0)
    say(
      table([
        ['SCOPE', 'OUTCOME', 'WHY'],
        ...notable.map((s) => [s.display, s.outcome.label, s.reason?.message ?? '']),
      ]),
    )
  for (const warning of run.warnings)
    say(`warning: ${warning.display}${warning.count > 1 ? ` (${warning.count} times)` : ''}`)
  if (run.error !== '') say(run.error)
}
