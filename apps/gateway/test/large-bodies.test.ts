import { request } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { key, type RunningGateway, startGateway } from './running-gateway.ts'

let gateway: RunningGateway
beforeEach(async () => {
  gateway = await startGateway()
})
afterEach(() => gateway.stop())

test.each([false, true])(
  'a body far over the limit is answered with a 413 that the client can read (length: %s)',
  async (length) => {
    const body = Buffer.alloc(20 * 1024 * 1024, 'x')
    const headers = { 'x-proxbox-api-key': key, ...(length ? { 'content-length': body.byteLength } : {}) }
    const answer = await new Promise<readonly [number | undefined, string | undefined, string]>((resolve, reject) => {
      const sent = request(`${gateway.url}/pbs/sync/jobs`, { method: 'POST', headers })
      sent.on('error', reject)
      sent.on('response', async (response) => {
        const text = (await response.setEncoding('utf8').toArray()).join('')
        resolve([response.statusCode, response.headers.connection, text])
      })
      // It writes the whole body, even after an answer; a reset rejects.
      for (let at = 0; at < body.byteLength; at += 65_536) sent.write(body.subarray(at, at + 65_536))
      sent.end()
    })
    expect(answer).toEqual([413, 'close', expect.stringContaining('larger than 262144 bytes')])
  },
)
