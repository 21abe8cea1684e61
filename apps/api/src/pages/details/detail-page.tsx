import { formatDay, type ModelName, registry } from '@netbox-pbs/core'
import { DatastoreUsage, InventoryLists, RequestCosts, SettingsStore } from '@netbox-pbs/core/ports'
import { Clock, Effect, Option } from 'effect'
import { attachedTo } from '../../inventory/attached.ts'
import { placeOf } from '../../rest/branch-place.ts'
import type { ApiContext } from '../../rest/caller.ts'
import { listPage, rowPage } from '../../rest/page-paths.ts'
import { anyRow, display, type Row } from '../../rest/row.ts'
import { branchBanner, branchView } from '../branch-view.tsx'
import { Alert } from '../components/alert.tsx'
import { AttachedPanels } from '../components/attached.tsx'
import { formatTime } from '../components/format.ts'
import { Layout, PageTitle } from '../components/layout.tsx'
import { SyncButton } from '../components/sync-button.tsx'
import type { PageBranch, Viewer } from '../components/viewer.ts'
import { notFound } from '../error-pages.tsx'
import { taskWords } from '../presentations/task-words.ts'
import { html, type Page } from '../serve-page.tsx'
import { forVisitor } from '../visitor-page.ts'
import { type Ancestor, ancestors, firstRow } from './ancestors.ts'
import { CertificateAlert } from './certificate-alert.tsx'
import { childLists, latestTasks, restorePoints } from './child-lists.ts'
import { ClockAlert } from './clock-alert.tsx'
import { Detail, Related } from './detail.tsx'
import { type Neighbours, neighbours } from './neighbours.ts'
import { RowsPanel } from './rows-panel.tsx'
import { sameCertificate } from './same-certificate.tsx'
import { ServerCosts } from './server-costs.tsx'
import { TokenAlert } from './token-alert.tsx'
import { UsageHistory } from './usage-history.tsx'

/** A row of a model with all it says, and the lists below it. */
export const detail =
  (name: ModelName, id: number) =>
  (c: ApiContext): Page =>
    forVisitor(
      (viewer) => branchView(c, { viewer, place: placeOf(name) }, (branch) => draw(viewer, name, id, branch)),
      'by server',
    )(c)

const draw = (viewer: Viewer, name: ModelName, id: number, branch: PageBranch): Page =>
  Effect.gen(function* () {
    const model = registry[name]
    const lists = yield* InventoryLists
    // An id beyond the range of a number belongs to no row.
    const found = Number.isSafeInteger(id) ? yield* lists.get({ model: name, id }) : Option.none()
    if (Option.isNone(found))
      return html(notFound(viewer, listPage(name), `${model.label} ${id}`, listPage(name, branch)), 404)
    const path = rowPage(name, id)
    const row = anyRow(found.value)
    const title = name === 'task' ? taskWords(row) : display(name, row)
    const above = yield* ancestors(name, row, branch)
    const points = name === 'group' ? yield* restorePoints(row, branch) : null
    const near = name === 'snapshot' ? yield* neighbours(row, branch) : null
    const tasks = yield* latestTasks(name, row, branch)
    const verification = name === 'snapshot' ? yield* verificationTask(row, branch) : null
    const definitions = yield* attachedTo(name, [row])
    const attached = <AttachedPanels model={model} row={row} attached={definitions} branch={branch} />
    const twin = name === 'server' ? yield* sameCertificate(row) : null
    // The objects of these forms are not branched.
    const writes = viewer.writes && branch === null
    const syncable = name === 'server' && viewer.operates && branch === null && row['endpoint_state'] === 'connected'
    return html(
      <Layout title={title} path={path} viewer={viewer} banner={branchBanner(name, branch, path)}>
        <PageTitle title={title} crumbs={[{ href: listPage(name, branch), label: model.labelPlural }, ...above]}>
          {near === null ? null : <Steps {...near} />}
          {syncable ? <SyncButton formToken={viewer.formToken} server={row.serverName} /> : null}
        </PageTitle>
        {typeof row['missing_since'] === 'string' ? (
          <Alert kind="warning">
            Missing since {formatTime(row['missing_since'])}: its source no longer lists it. It is deleted when the next
            run's list lacks it too, unless its deletion is held back.
          </Alert>
        ) : null}
        {name === 'server' ? <CertificateAlert row={row} viewer={{ ...viewer, writes }} /> : null}
        {name === 'server' ? <ClockAlert offset={row['clock_offset_seconds']} /> : null}
        {twin}
        {name === 'server' ? <TokenAlert warning={row['token_warning']} /> : null}
        <Related lists={yield* childLists(name, row, branch)} />
        <div class="netbox-pbs-stack">
          {points === null ? null : (
            <RowsPanel
              {...points}
              title="Restore points"
              model={registry.snapshot}
              columns={['backup_time', 'size_bytes', 'verification_state', 'protected', 'owner', 'comment']}
              empty="None."
              branch={branch}
            />
          )}
          <UsageHistory points={name === 'datastore' ? yield* usageOf(row.id) : []} />
          {tasks === null || tasks.rows.length === 0 ? null : (
            <RowsPanel
              {...tasks}
              title="Latest tasks"
              model={registry.task}
              columns={['worker_type', 'user', 'starttime', 'duration', 'outcome', 'status']}
              empty="None."
              branch={branch}
            />
          )}
          {name === 'server' ? <ServerCosts {...(yield* costsOf(row.id))} /> : null}
          <div>
            <Detail model={model} row={row} links={linksOf(above, verification)} attached={attached} branch={branch} />
          </div>
        </div>
      </Layout>,
    )
  })

/** The pages that the fields of a row lead to. */
const linksOf = (above: ReadonlyArray<Ancestor>, verification: string | null): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(
    above.flatMap(({ fields, href }) => (href === null ? [] : fields.map((field) => [field, href] as const))),
  ),
  ...(verification === null ? {} : { verification_upid: verification, verification_state: verification }),
})

/** The page of the task that verified a snapshot; null: the inventory has none. */
const verificationTask = ({ server, verification_upid: upid }: Row, branch: PageBranch) =>
  upid === ''
    ? Effect.succeed(null)
    : Effect.map(firstRow('task', { server, upid }), (row) => (row === null ? null : rowPage('task', row.id, branch)))

/** Leads to the snapshots of the group before and after. */
const Steps = ({ previous, next }: Neighbours) => (
  <>
    {[
      { href: previous, label: '‹ Previous', title: 'Previous restore point' },
      { href: next, label: 'Next ›', title: 'Next restore point' },
    ].map(({ href, label, title }) =>
      href === null ? null : (
        <a class="btn" href={href} aria-label={title}>
          {label}
        </a>
      ),
    )}
  </>
)

const costsOf = (serverId: number) =>
  Effect.gen(function* () {
    const costs = yield* RequestCosts
    const today = formatDay(yield* Clock.currentTimeMillis)
    const { rows: days } = yield* costs.days({ serverId, limit: 7, offset: 0 })
    const { pbs_requests_per_day: allowed } = yield* (yield* SettingsStore).get()
    return { today, allowed, days, lastRun: Option.getOrNull(yield* costs.lastRun({ serverId })) }
  })

/** Points that the page draws: the last four months. */
const drawnPoints = 480

const usageOf = (datastoreId: number) =>
  Effect.gen(function* () {
    const usage = yield* DatastoreUsage
    return (yield* usage.points({ datastoreId, limit: drawnPoints, offset: 0 })).rows
  })
