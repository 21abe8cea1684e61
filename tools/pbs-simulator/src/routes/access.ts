import { ownerOf, privilegesOn } from '../permissions/privileges.ts'
import type { Json } from '../state/pbs-state.ts'
import { ApiError, may, type Route, type RouteContext, textOf } from './route.ts'

/** Paths that are reported in addition to those with an ACL entry. */
const usualPaths = ['/', '/access', '/access/acl', '/access/users', '/datastore', '/remote', '/system', '/tape']

const permissionsOf = (context: RouteContext): Json => {
  const { state, authId } = context
  const subject = textOf(context, 'auth-id', authId)
  const allowed = subject === authId || ownerOf(subject) === authId || may(context, '/access', 'Sys.Audit')
  if (!allowed) throw new ApiError(403, `not allowed to list permissions of ${subject}`)
  const requested = textOf(context, 'path')
  const paths =
    requested === '' ? [...new Set([...usualPaths, ...state.acl.map(({ path }) => path)])].sort() : [requested]
  const found = paths
    .map((path) => [path, Object.fromEntries(privilegesOn(state, subject, path))] as const)
    .filter(([, privileges]) => Object.keys(privileges).length > 0)
  return Object.fromEntries(found)
}

/** All entries for callers that may audit the ACL; for others those of their own tokens. */
const aclOf = (context: RouteContext): Json => {
  const all = may(context, '/access/acl', 'Sys.Audit')
  return context.state.acl
    .filter((entry) => all || ownerOf(entry.authId) === context.authId)
    .map(({ path, authId: ugid, role, propagate }) => ({ path, ugid, ugid_type: 'user', propagate, roleid: role }))
}

/** The caller's privileges: the best self-check of a token. */
export const accessRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/access/permissions',
    permission: 'authenticated',
    parameters: () => ({
      'auth-id': { type: 'string', optional: true, minLength: 3, maxLength: 64 },
      path: { type: 'string', optional: true, minLength: 1, maxLength: 128, pattern: /^\/(?:[^/]+(?:\/[^/]+)*)?$/ },
    }),
    handle: (context) => ({ data: permissionsOf(context) }),
  },
  {
    method: 'GET',
    path: '/access/acl',
    permission: 'authenticated',
    parameters: () => ({}),
    handle: (context) => ({ data: aclOf(context) }),
  },
]
