import { afterAll, beforeAll, expect, test } from 'vitest'
import { fakeGateway } from './support/fake-gateway.ts'
import { rawRequest } from './support/raw-request.ts'
import { adminToken, startTestApi, type TestApi } from './support/test-api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
})
afterAll(() => api?.stop())

const megabyte = 1024 * 1024
const json = { Authorization: `Bearer ${adminToken}`, 'Content-Type': 'application/json', Connection: 'keep-alive' }
const form = { 'Content-Type': 'application/x-www-form-urlencoded', Connection: 'keep-alive' }

test.each([
  ['REST', '/api/plugins/pbs/servers/', json, 10 * megabyte, `${10 * megabyte} bytes`],
  ['REST', '/api/users/tokens/', json, 10 * megabyte, `${10 * megabyte} bytes`],
  ['the sign-in page', '/plugins/pbs/login/', form, 64 * 1024, '64 KiB'],
] as const)(
  '%s answers a body far over its limit with a 413 that the client can read: %s',
  async (_, target, headers, limit, named) => {
    for (const chunked of [false, true]) {
      const body = 'x'.repeat(2 * limit + 8 * megabyte)
      // It writes the whole body, even after an answer; a reset rejects.
      const { status, head, text } = await rawRequest(api.url, { method: 'POST', target, headers, body, chunked })
      expect([status, chunked]).toEqual([413, chunked])
      expect(head).toMatch(/\r\nConnection: close\r\n/i)
      expect(text).toContain(named)
    }
  },
)
