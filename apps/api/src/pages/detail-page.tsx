import { type ModelName, registry } from '@netbox-pbs/core'
import { DatastoreUsage, InventoryLists } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { display } from '../inventory/display.ts'
import { anyRow } from '../inventory/row.ts'
import { latestTasks, listsBelow } from './below.ts'
import { html } from './html.ts'
import { listPage, rowPage } from './paths.ts'
import { notFound } from './refusals.tsx'
import { Alert } from './view/alert.tsx'
import { CertificateAlert } from './view/certificate-alert.tsx'
import { Detail } from './view/detail.tsx'
import { formatTime } from './view/format.ts'
import { LatestTasks } from './view/latest-tasks.tsx'
import { Layout } from './view/layout.tsx'
import { PageTitle } from './view/page-title.tsx'
import { Related } from './view/related.tsx'
import { SyncButton } from './view/sync-button.tsx'
import { UsageHistory } from './view/usage-history.tsx'
import { forVisitor } from './visitor-page.ts'

/** A row of a model with all it says, and the lists below it. */
export const detail = (name: ModelName, id: number) =>
  forVisitor((viewer) =>
    Effect.gen(function* () {
      const model = registry[name]
      const lists = yield* InventoryLists
      // An id beyond what a number can hold is no row's.
      const found = Number.isSafeInteger(id) ? yield* lists.get({ model: name, id }) : Option.none()
      if (Option.isNone(found))
        return html(notFound(viewer, listPage(name), `${model.label} ${id}`, listPage(name)), 404)
      const row = anyRow(found.value)
      const title = display(name, row)
      const tasks = yield* latestTasks(name, row)
      const related = (
        <>
          <Related lists={yield* listsBelow(name, row)} />
          <UsageHistory points={name === 'datastore' ? yield* usageOf(row.id) : []} />
          {tasks === null ? null : <LatestTasks {...tasks} />}
        </>
      )
      const syncable = name === 'server' && viewer.writes && row['endpoint_state'] === 'connected'
      return html(
        <Layout title={title} path={rowPage(name, id)} viewer={viewer}>
          <PageTitle title={title} crumbs={[{ href: listPage(name), label: model.labelPlural }]}>
            {syncable ? <SyncButton formToken={viewer.formToken} server={row.serverName} /> : null}
          </PageTitle>
          {typeof row['missing_since'] === 'string' ? (
            <Alert kind="warning">
              Missing since {formatTime(row['missing_since'])}: its source lists it no longer, but its deletion is held
              back.
            </Alert>
          ) : null}
          {name === 'server' ? <CertificateAlert row={row} viewer={viewer} /> : null}
          <Detail model={model} row={row} related={related} />
        </Layout>,
      )
    }),
  )

/** Points that the page draws: the last four months. */
const drawnPoints = 480

const usageOf = (datastoreId: number) =>
  Effect.gen(function* () {
    const usage = yield* DatastoreUsage
    return (yield* usage.points({ datastoreId, limit: drawnPoints, offset: 0 })).rows
  })
