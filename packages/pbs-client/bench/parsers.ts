// Compares ways to take the rows out of a list of snapshots that arrives in pieces.
// node --conditions=source --import tsx packages/pbs-client/bench/parsers.ts [rows]
import { JSONParser } from '@streamparser/json'
import { PbsSnapshot } from '../src/content-schemas.ts'
import { decodeItem } from '../src/decode-item.ts'
import { ItemSplitter } from '../src/item-splitter.ts'
import { snapshotBody } from './generate.ts'

const rows = Number(process.argv[2] ?? 200_000)
const pieces = [...snapshotBody(rows)]
const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)

const measure = (name: string, read: () => number) => {
  read()
  const begun = performance.now()
  const found = read()
  const seconds = (performance.now() - begun) / 1000
  if (found !== rows) throw new Error(`${name} found ${found} rows`)
  process.stdout.write(
    `${name.padEnd(52)} ${Math.round(rows / seconds).toLocaleString('en')} rows/s, ${Math.round(bytes / 1e6 / seconds)} MB/s\n`,
  )
}

measure('JSON.parse of the whole text (the bound, not a stream)', () => {
  const body: unknown = JSON.parse(Buffer.concat(pieces).toString('utf8'))
  return typeof body === 'object' && body !== null && 'data' in body && Array.isArray(body.data) ? body.data.length : 0
})
measure('@streamparser/json, $.data.*, keepStack false', () => {
  let found = 0
  const parser = new JSONParser({ paths: ['$.data.*'], keepStack: false })
  parser.onValue = () => {
    found++
  }
  for (const piece of pieces) parser.write(piece)
  return found
})
measure('ItemSplitter', () => {
  let found = 0
  const splitter = new ItemSplitter()
  for (const piece of pieces) found += splitter.push(piece).length
  splitter.finish()
  return found
})
measure('ItemSplitter, checked and decoded', () => {
  let found = 0
  const splitter = new ItemSplitter()
  for (const piece of pieces) {
    for (const item of splitter.push(piece)) {
      decodeItem(PbsSnapshot, item)
      found++
    }
  }
  splitter.finish()
  return found
})
