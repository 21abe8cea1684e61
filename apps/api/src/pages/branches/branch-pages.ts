import { Hono } from 'hono'
import type { ApiEnv } from '../../rest/caller.ts'
import { rowId } from '../../rest/row.ts'
import type { ServePage } from '../serve-page.tsx'
import { add, emptyForm } from './add-page.tsx'
import { act } from './branch-actions.ts'
import { changes } from './changes-page.tsx'
import { conflicts } from './conflicts-page.tsx'
import { list } from './list-page.tsx'
import { overview } from './overview-page.tsx'
import { answer } from './resolve-conflicts.ts'

const actions = ['check', 'sync', 'approve', 'merge', 'revert', 'close'] as const

/**
 * Branches: their list, the form that opens one, and of each its changes, its conflicts, and the
 * forms that resolve and end it.
 */
export function branchPages(serve: ServePage): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>()
    .get('/branches/', (c) => serve(c, list(c)))
    .get('/branches/add/', (c) => serve(c, emptyForm(c)))
    .post('/branches/add/', (c) => serve(c, add(c)))
    .get('/branches/:id{[0-9]+}/', (c) => serve(c, overview(rowId(c.req.param('id')))(c)))
    .get('/branches/:id{[0-9]+}/changes/', (c) => serve(c, changes(c, rowId(c.req.param('id')))))
    .get('/branches/:id{[0-9]+}/conflicts/', (c) => serve(c, conflicts(c, rowId(c.req.param('id')))))
    .post('/branches/:id{[0-9]+}/conflicts/', (c) => serve(c, answer(rowId(c.req.param('id')))(c)))
  for (const action of actions)
    app.post(`/branches/:id{[0-9]+}/${action}/`, (c) => serve(c, act(action, rowId(c.req.param('id')))(c)))
  return app
}
