import { modelNames } from '@netbox-pbs/core'
import type { Path } from '../http/mount-routes.ts'
import { inventoryPaths } from './inventory-paths.ts'

/** Every path of the REST API. */
export const restPaths: ReadonlyArray<Path> = [...modelNames.flatMap(inventoryPaths)]
