import { accessRoutes } from './access.ts'
import { contentRoutes } from './contents.ts'
import { datastoreRoutes } from './datastores.ts'
import { gcRoutes } from './garbage-collection.ts'
import { jobRoutes } from './jobs.ts'
import { nodeRoutes } from './node.ts'
import { remoteRoutes } from './remotes.ts'
import type { Route } from './route.ts'
import { taskRoutes } from './tasks.ts'
import { usageRoutes } from './usage.ts'

/** Every route of the simulated API. */
export const routes: readonly Route[] = [
  ...nodeRoutes,
  ...datastoreRoutes,
  ...usageRoutes,
  ...gcRoutes,
  ...contentRoutes,
  ...jobRoutes,
  ...remoteRoutes,
  ...taskRoutes,
  ...accessRoutes,
]
