import { createReadStream, createWriteStream, openAsBlob } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import { type Driver, filledTables, type StoreAt, withDriver } from './store.ts'

/**
 * The yardstick of a first sync: seconds of `COPY … FROM STDIN` of the rows that `synced` now has
 * into `empty`, which has the same tables with the same keys and indexes. Fetching the rows as text
 * is not counted.
 */
export async function secondsOfCopy(synced: StoreAt, empty: StoreAt, folder: string): Promise<number> {
  const fileOf = (table: string): string => join(folder, `${table}.copy`)
  await withDriver(synced, async (driver) => {
    for (const table of filledTables) await copyOut(driver, table, fileOf(table))
  })
  return await withDriver(empty, async (driver) => {
    const begun = performance.now()
    for (const table of filledTables) await copyIn(driver, table, fileOf(table))
    return (performance.now() - begun) / 1000
  }).finally(() => Promise.all(filledTables.map((table) => rm(fileOf(table), { force: true }))))
}

async function copyOut(driver: Driver, table: string, file: string): Promise<void> {
  if (driver._tag === 'pglite') {
    const { blob } = await driver.pglite.query(`copy ${table} to '/dev/blob'`)
    if (blob === undefined) throw new Error('COPY gave no data')
    return await writeFile(file, blob.stream())
  }
  const client = await driver.pool.connect()
  await pipeline(client.query(copyTo(`copy ${table} to stdout`)), createWriteStream(file))
  client.release()
}

async function copyIn(driver: Driver, table: string, file: string): Promise<void> {
  if (driver._tag === 'pglite') {
    await driver.pglite.query(`copy ${table} from '/dev/blob'`, [], { blob: await openAsBlob(file) })
    return
  }
  const client = await driver.pool.connect()
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), client.query(copyFrom(`copy ${table} from stdin`)))
  client.release()
}
