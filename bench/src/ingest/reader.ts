import { get } from 'node:http'
import { asPart, cpuSince } from '../child.ts'
import { recordedResources } from './recording.ts'

/** The task of the reader of a gateway's streams. */
export interface ReaderTask {
  readonly url: string
}

/** How long it took, and how many lines there were. */
export interface ReaderAnswer {
  readonly seconds: number
  /** Processor time of this process for the work. */
  readonly cpuSeconds: number
  readonly lines: number
}

const newline = 0x0a

/**
 * The yardstick of a sync that has nothing to do: read the same streams over the same HTTP, and
 * `JSON.parse` them line by line.
 */
await asPart<ReaderTask, ReaderAnswer>(async ({ url }) => {
  const begun = performance.now()
  const cpu = cpuSince()
  let lines = 0
  for (const resource of recordedResources) lines += await linesAt(`${url}/pbs/sync/${resource}`)
  return { seconds: (performance.now() - begun) / 1000, cpuSeconds: cpu(), lines }
})

function linesAt(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      let lines = 0
      let rest: Buffer = Buffer.alloc(0)
      response.on('data', (chunk: Buffer) => {
        const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
        let start = 0
        for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
          JSON.parse(bytes.toString('utf8', start, end))
          lines += 1
          start = end + 1
        }
        rest = bytes.subarray(start)
      })
      response.once('end', () => resolve(lines))
      response.once('error', reject)
    }).once('error', reject)
  })
}
