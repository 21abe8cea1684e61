import { modelNames, registry } from '@netbox-pbs/core'
import { Hono } from 'hono'
import type { ApiEnv } from '../rest/caller.ts'
import { rowId } from '../rest/row-id.ts'
import { detail } from './detail-page.tsx'
import { list } from './list-page.tsx'
import type { ServePage } from './serve-page.tsx'

/** List and detail of every model of the registry. */
export function inventoryPages(serve: ServePage): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>()
  for (const model of modelNames) {
    const { path } = registry[model]
    app.get(`/${path}/`, (c) => serve(c, list(model)(c)))
    app.get(`/${path}/:id{[0-9]+}/`, (c) => serve(c, detail(model, rowId(c.req.param('id')))(c)))
  }
  return app
}
