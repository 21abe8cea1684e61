import { describe, expect, test } from 'vitest'
import { parseGroupRoles, roleOfGroups } from './group-roles.ts'

describe('pairs of group and role', () => {
  test('are read with spaces around them, and with = in the group', () => {
    expect(parseGroupRoles('a b = operator,cn=backup=admin,*=viewer,')).toEqual([
      { group: 'a b', role: 'operator' },
      { group: 'cn=backup', role: 'admin' },
      { group: '*', role: 'viewer' },
    ])
  })

  test.each([
    ['', 'names no group: give pairs such as pbs-admins=admin'],
    [' , ', 'names no group: give pairs such as pbs-admins=admin'],
    ['admin', 'has a part without a group: admin'],
    ['=admin', 'has a part without a group: =admin'],
    ['cn=backup,ou=x', 'gives cn the role backup: it must be one of viewer, operator, admin'],
    ['a=root', 'gives a the role root: it must be one of viewer, operator, admin'],
    ['a=admin,a=viewer', 'names a twice'],
    [Array.from({ length: 101 }, (_, n) => `g${n}=viewer`).join(','), 'names more than 100 groups'],
  ])('%.40j are wrong', (text, error) => {
    expect(parseGroupRoles(text)).toBe(error)
  })
})

describe('the role of groups', () => {
  const rules = [
    { group: 'ops', role: 'operator' },
    { group: 'root', role: 'admin' },
    { group: 'readers', role: 'viewer' },
  ] as const

  test.each([
    [['readers'], 'viewer'],
    [['readers', 'ops'], 'operator'],
    [['ops', 'root', 'readers'], 'admin'],
    [['others'], null],
    [[], null],
    // A group of the provider that is called like the word for everybody is no rule.
    [['*'], null],
  ])('%j is %s', (groups, role) => {
    expect(roleOfGroups(rules, groups)).toBe(role)
  })

  test('everybody has at least that of *', () => {
    expect(roleOfGroups([...rules, { group: '*', role: 'viewer' }], [])).toBe('viewer')
    expect(roleOfGroups([{ group: '*', role: 'viewer' }, ...rules], ['ops'])).toBe('operator')
  })
})
