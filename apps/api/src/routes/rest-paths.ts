import { modelNames, registry } from '@netbox-pbs/core'
import type { Path } from '../rest/route.ts'
import { branchPaths } from './branch-paths.ts'
import { changePaths } from './change-paths.ts'
import { datastorePaths } from './datastore-paths.ts'
import { heldPaths } from './held-paths.ts'
import { inventoryPaths } from './inventory-paths.ts'
import { apiRootPath, healthPaths, rootPaths } from './root-paths.ts'
import { schemaPath } from './schema-path.ts'
import { serverPaths } from './server-paths.ts'
import { settingsPaths } from './settings-paths.ts'
import { syncRunPaths } from './sync-run-paths.ts'
import { tokenPaths } from './token-paths.ts'

const endpoints = [...modelNames.map((model) => registry[model].path), 'branches', 'changes', 'settings', 'sync-runs']

const described: ReadonlyArray<Path> = [
  ...healthPaths,
  ...rootPaths,
  apiRootPath(endpoints),
  ...serverPaths,
  ...modelNames.flatMap(inventoryPaths),
  ...datastorePaths,
  ...branchPaths,
  ...changePaths,
  ...settingsPaths,
  ...syncRunPaths,
  ...heldPaths,
  ...tokenPaths,
]

/** Every path of the REST API. */
export const restPaths: ReadonlyArray<Path> = [...described, schemaPath(described)]
