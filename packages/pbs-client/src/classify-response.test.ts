import { describe, expect, test } from 'vitest'
import { classifyResponse, isUnknownParameter } from './classify-response.ts'

describe('why a reply failed', () => {
  test.each([
    [401, 'authentication failed - invalid token', 'unauthorized'],
    [401, '', 'unauthorized'],
    [400, 'authentication failed', 'unauthorized'],
    [403, 'permission check failed', 'forbidden'],
    [403, 'permission check failed - missing Datastore.Audit|Datastore.Backup on /datastore/tank', 'forbidden'],
    [400, "datastore 'tank' is unavailable: offline maintenance mode: disk swap", 'maintenance'],
    [400, "datastore 'tank' is unavailable: datastore is being deleted", 'maintenance'],
    [400, "datastore 'tank' is unavailable: S3 refresh maintenance mode: x", 'maintenance'],
    [400, "datastore 'tank' is in offline maintenance mode: disk swap", 'maintenance'],
    [400, "datastore 'tank' is being deleted", 'maintenance'],
    [400, "datastore 'usb1' is not mounted", 'not_mounted'],
    [400, "no such datastore 'x'", 'not_found'],
    [400, 'ENOENT: No such file or directory', 'not_found'],
    [400, 'unable to open group dir: No such file or directory (os error 2)', 'not_found'],
    [400, "parameter verification failed - 'store': value must be at least 3 characters long", 'rejected'],
    [400, 'could not open statefile for v-1: EOF', 'rejected'],
    [400, '', 'rejected'],
    [404, "Path '/api2/json/admin/gc' not found.", 'unsupported'],
    [500, "failed to scan remote 'x' - timeout", 'rejected'],
    [301, '', 'protocol'],
    [308, '', 'protocol'],
    [204, '', 'protocol'],
    [414, '', 'protocol'],
  ])('%i %s', (status, text, reason) => {
    expect(classifyResponse(status, text)).toBe(reason)
  })
})

test.each([
  [400, "parameter verification failed - 'sync-direction': schema does not allow additional properties.", true],
  [403, 'schema does not allow additional properties.', false],
  [400, 'permission check failed', false],
])('an unknown parameter: %i %s', (status, text, expected) => {
  expect(isUnknownParameter(status, text)).toBe(expected)
})
