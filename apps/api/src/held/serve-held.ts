import { scopeTitle, whyHeld } from '@netbox-pbs/core'
import { choice } from '../rest/choice.ts'
import { display } from '../rest/display.ts'
import { pageUrl, rowUrl, runUrl } from '../rest/links.ts'
import type { SampledSet } from './sample-rows.ts'

/** The held deletions of a scope in REST form, under the requested run. */
export const servedHeld = (base: string, run: number, { set, model, rows }: SampledSet) => ({
  id: set.id,
  url: `${runUrl(base, run)}held/${set.id}/`,
  display: scopeTitle(set.scope),
  scope: set.scope,
  state: choice(set.state),
  reason: { code: set.reason, message: whyHeld[set.reason] },
  revision: set.revision,
  count: set.count,
  since: set.since,
  samples: rows.map((row) => ({
    id: row.id,
    url: rowUrl(base, model, row.id),
    display_url: pageUrl(base, model, row.id),
    display: display(model, row),
    missing_since: row['missing_since'],
  })),
  run: { id: set.runId, url: runUrl(base, set.runId), display: `Run ${set.runId}` },
  decided_by: set.decided?.by ?? null,
  decided_at: set.decided?.at ?? null,
})
