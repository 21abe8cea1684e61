import { Redacted } from 'effect'
import { describe, expect, test } from 'vitest'
import { classifyResponse, isUnknownParameter, safeText } from './pbs-error.ts'

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

const secret = '6f0c1d7e-2b44-4c1a-9a35-7d1e0f5b8c21'
const safe = (text: string, tokenSecret = secret) => safeText({ tokenSecret: Redacted.make(tokenSecret) }, text)

/** The same numbers in every run, from 0 to 1. */
const numbersFrom = (seed: number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

test('any text and any secret make one printable line of at most 300 characters, and nothing throws', () => {
  const random = numbersFrom(1)
  const units = [
    0, 9, 10, 13, 0x1b, 0x25, 0x61, 0x7f, 0x85, 0x9b, 0x2028, 0x202e, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xffff,
  ]
  const textOf = (most: number) =>
    String.fromCharCode(
      ...Array.from({ length: Math.floor(random() * most) }, () => units[Math.floor(random() * units.length)] ?? 0),
    )
  for (let round = 0; round < 3000; round += 1) {
    const [text, own] = [textOf(400), textOf(20)]
    const shown = safe(`${text}${own}${text}`, own)
    expect(shown.isWellFormed() && shown.length <= 300 && !/[\p{Cc}\u2028\u202e]/u.test(shown)).toBe(true)
  }
})

describe('a peer that echoes the secret', () => {
  test.each([
    ['whole', `you sent PBSAPIToken=a@pbs!b:${secret}.`, 'you sent PBSAPIToken=a@pbs!b:<redacted>.'],
    ['without its end', `got ${secret.slice(0, -4)}`, 'got <redacted>'],
    ['without its beginning', `got ${secret.slice(5)}`, 'got <redacted>'],
    ['in parts', `${secret.slice(0, 10)} / ${secret.slice(10, 20)}`, '<redacted> / <redacted>'],
    ['twice', `${secret}${secret}`, '<redacted><redacted>'],
  ])('%s', (_, text, expected) => {
    expect(safe(text)).toBe(expected)
  })

  test('percent-encoded', () => {
    expect(safe('token=ein%2Fgeheimes%20Wort', 'ein/geheimes Wort')).toBe('token=<redacted>')
  })

  test('a short secret is found whole only', () => {
    expect(safe('abc abcd', 'abcd')).toBe('abc <redacted>')
  })
})

test('sequences for a terminal lose their control characters', () => {
  expect(safe('4.2\u001b]0;pwned\u0007\u001b[2J\n\u009b31mx\u202e')).toBe('4.2 ]0;pwned [2J 31mx')
})
