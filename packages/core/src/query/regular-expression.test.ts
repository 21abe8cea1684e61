import { expect, test } from 'vitest'
import { patternFault } from './regular-expression.ts'

test.each([
  '^pbs-0[1-3]$',
  'mon\\.\\.fri.*',
  '(?i)größe',
  '(?:vm|ct)/\\d+',
  '[[:alpha:]_]+[^]x]{2,254}',
  '[(){]{2,5}',
  '(?=.*a)(?!.*b)(?<=c).',
  'a{255}',
  '(a{10}){10}',
  '\\\\1',
  '[',
  '((',
  'a**',
  '',
])('%s is for the database to judge', (pattern) => {
  expect(patternFault(pattern)).toBeNull()
})

const size = 'A regular expression cannot stand for more than 255 characters here.'
const back = 'A regular expression cannot have references back to a group here.'
const within = 'A regular expression cannot have lookarounds within one another here.'
const flavour = 'A regular expression cannot be of another flavour here.'

test.each([
  ['x'.repeat(256), 'Ensure this value has at most 255 characters (it has 256).'],
  ['(a{1,16}){1,16}', size],
  ['((a{20}){20}){20}', size],
  ['(?:a|(b)){2,}{255}{9}', size],
  ['[[:alpha:]]{256}', size],
  ['[]a]{200}(b[^]c]{5}){10}', size],
  ['(a*)\\1', back],
  ['((a))\\2{9}', back],
  ['(?=a(?!b))', within],
  ['(?<!a((?=b)))', within],
  ['(?q)a', flavour],
  ['(?ix)a', flavour],
  ['***:a', flavour],
])('%s is refused', (pattern, message) => {
  expect(patternFault(pattern)).toBe(message)
})

test('reads the most hostile text in no time', () => {
  const since = performance.now()
  for (const text of ['[[:', '[:', '\\', '(', '{1,', '[^]', '(?=', ')']) patternFault(text.repeat(255).slice(0, 255))
  expect(performance.now() - since).toBeLessThan(500)
})
