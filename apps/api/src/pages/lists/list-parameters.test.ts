import { describe, expect, test } from 'vitest'
import { addressOfForm } from './list-parameters.ts'

const address = (query: string) => addressOfForm('snapshot', new URLSearchParams(query))?.toString() ?? null

describe('the address that a form of a list asks for', () => {
  test.each([
    ['of no form', 'backup_type=vm', null],
    [
      'without blank filters and the page',
      '_filter=1&backup_type=vm&owner=&offset=50&limit=25',
      'backup_type=vm&limit=25',
    ],
    ['with a comparison', '_filter=1&_field=size_bytes&_lookup=gte&_value=5', 'size_bytes__gte=5'],
    ['with an equal value', '_filter=1&_field=owner&_lookup=&_value=root%40pam', 'owner=root%40pam'],
    ['for rows without a value', '_filter=1&_field=comment&_lookup=empty&_value=', 'comment__empty=true'],
    ['without a field that is none', '_filter=1&_field=nope&_value=5', ''],
    [
      'with columns, and the filters as they are',
      '_columns=1&columns=owner&columns=nope&namespace=',
      'namespace=&columns=owner',
    ],
    ['with the usual columns', '_columns=default&columns=owner&q=a', 'q=a'],
  ])('%s', (_, query, asked) => {
    expect(address(query)).toBe(asked)
  })
})
