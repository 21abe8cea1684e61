import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { migratedDump, migratedTemplate } from '@netbox-pbs/store-postgres/engines'
import { postgresUrl } from '@netbox-pbs/testing'
import { extract } from 'tar-stream'
import { type Home, newHome } from './running-system.ts'

/** A home on PostgreSQL whose database has all migrations. */
export const homeOnPostgres = async (): Promise<Home> => newHome({ databaseUrl: await postgresUrl(migratedTemplate) })

/** A home in a folder whose embedded database has all migrations; its caller removes the folder. */
export const homeInFolder = async (): Promise<Home> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'netbox-pbs-test-'))
  await prepareFolder(dataDir)
  return newHome({ dataDir })
}

/** On which engines a system is tried. */
interface SystemEngine {
  readonly engine: 'PostgreSQL' | 'PGlite'
  readonly home: () => Promise<Home>
}

const bothEngines: ReadonlyArray<SystemEngine> = [
  { engine: 'PostgreSQL', home: homeOnPostgres },
  { engine: 'PGlite', home: () => Promise.resolve(newHome({})) },
]

/**
 * PostgreSQL, and with NETBOX_PBS_MATRIX=all (`pnpm matrix`) the embedded engine as well. The tests of the store always
 * run on both, and those of the command and of the whole way from PBS to REST always on the embedded one.
 */
export const systemEngines: ReadonlyArray<SystemEngine> =
  process.env['NETBOX_PBS_MATRIX'] === 'all' ? bothEngines : bothEngines.slice(0, 1)

/** The dump's own settings, under which a killed process would lose what it has committed. */
const isSettings = (name: string): boolean => name.endsWith('postgresql.auto.conf')

/**
 * Puts an embedded database with all migrations into a data folder. To make one and to migrate it
 * takes a start four times as long as all else that it does.
 */
export async function prepareFolder(dataDir: string): Promise<void> {
  const database = join(dataDir, 'database')
  mkdirSync(database, { recursive: true, mode: 0o700 })
  const archive = extract()
  archive.end(new Uint8Array(await (await migratedDump()).arrayBuffer()))
  for await (const entry of archive) {
    const { name, type } = entry.header
    const path = join(database, name)
    mkdirSync(type === 'directory' ? path : dirname(path), { recursive: true, mode: 0o700 })
    if (type === 'directory') entry.resume()
    else writeFileSync(path, isSettings(name) ? '' : await buffer(entry), { mode: 0o600 })
  }
}
