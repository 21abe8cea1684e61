import { SecretBox, SecretUnreadable } from '@netbox-pbs/core/ports'
import { Effect, Redacted } from 'effect'
import { describe, expect, test } from 'vitest'
import { SecretKeyInvalid, secretBoxLayer } from './secret-box.ts'

const keyName = 'NETBOX_PBS_SECRET_KEY'
const keyOf = (fill: number): string => Buffer.alloc(32, fill).toString('base64')

const withKey = <A, E>(key: string, use: Effect.Effect<A, E, SecretBox>) =>
  Effect.runPromise(Effect.either(Effect.provide(use, secretBoxLayer({ key: Redacted.make(key), keyName }))))

const seal = (secret: string, purpose: string) =>
  Effect.flatMap(SecretBox, (box) => box.seal({ secret: Redacted.make(secret), purpose }))
const open = (sealed: string, purpose: string) =>
  Effect.flatMap(SecretBox, (box) => box.open({ sealed, purpose })).pipe(Effect.map(Redacted.value))

const unreadable = { _tag: 'Left', left: new SecretUnreadable({ keyName }) }

describe('a sealed secret', () => {
  test.each(['', 'hunter2', 'äöü 🔑', 'x'.repeat(10_000)])('opens to what was sealed: %#', async (secret) => {
    const both = Effect.flatMap(seal(secret, 'p'), (sealed) => open(sealed, 'p'))
    expect(await withKey(keyOf(1), both)).toMatchObject({ _tag: 'Right', right: secret })
  })

  test('does not show the secret and is new each time', async () => {
    const sealed = await withKey(keyOf(1), Effect.all([seal('hunter2', 'p'), seal('hunter2', 'p')]))
    if (sealed._tag === 'Left') throw sealed.left
    expect(sealed.right[0]).toMatch(/^v1\.[\w-]{16}\.[\w-]+$/)
    expect(sealed.right[0]).not.toBe(sealed.right[1])
  })

  test('opens with neither another key nor another purpose, nor when touched', async () => {
    const sealed = await withKey(keyOf(1), seal('hunter2', 'endpoint:1'))
    if (sealed._tag === 'Left') throw sealed.left
    const text = sealed.right
    // Not the last character: part of it may be padding, which says nothing.
    const touched = `${text.slice(0, -8)}${text.at(-8) === 'A' ? 'B' : 'A'}${text.slice(-7)}`
    expect(await withKey(keyOf(2), open(text, 'endpoint:1'))).toMatchObject(unreadable)
    expect(await withKey(keyOf(1), open(text, 'endpoint:2'))).toMatchObject(unreadable)
    for (const bad of [touched, '', 'v1', 'v1..', text.replace('v1', 'v2'), 'hunter2'])
      expect(await withKey(keyOf(1), open(bad, 'endpoint:1'))).toMatchObject(unreadable)
  })
})

describe('a key', () => {
  test.each([
    '',
    'secret',
    Buffer.alloc(31, 7).toString('base64'),
    Buffer.alloc(33, 7).toString('base64'),
    `!${keyOf(7)}`,
    Buffer.alloc(32, 7).toString('hex'),
  ])('%# is refused with its name and without itself', async (key) => {
    const rejected = await withKey(key, Effect.asVoid(SecretBox))
    expect(rejected).toMatchObject({ _tag: 'Left', left: new SecretKeyInvalid({ keyName }) })
    if (rejected._tag === 'Left') {
      expect(rejected.left.message).toContain(keyName)
      if (key !== '') expect(rejected.left.message).not.toContain(key)
    }
  })

  test('may lack its padding and have a line break after it', async () => {
    expect(await withKey(`${keyOf(7).replace('=', '')}\n`, Effect.asVoid(SecretBox))).toMatchObject({ _tag: 'Right' })
  })
})
