import { Hono } from 'hono'
import type { ApiEnv } from '../http/caller.ts'
import type { Run } from '../http/run.ts'
import { assets } from './assets.ts'
import { homePage } from './home-page.tsx'
import { inventoryPages } from './inventory-pages.tsx'
import { runPages } from './run-pages.tsx'
import { serverPages } from './server-pages.tsx'
import { signInPages } from './sign-in-pages.tsx'

/** Every page, to be mounted at `/plugins/pbs`. */
export function pages(run: Run): Hono<ApiEnv> {
  return new Hono<ApiEnv>()
    .route('/static', assets)
    .route('/', homePage(run))
    .route('/', signInPages(run))
    .route('/', serverPages(run))
    .route('/', inventoryPages(run))
    .route('/', runPages(run))
}
