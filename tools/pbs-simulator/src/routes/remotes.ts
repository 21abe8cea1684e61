import type { Json, RemoteState } from '../state/pbs-state.ts'
import { configDigest, inCallOrder, may, optional, type Route } from './route.ts'

const remoteRow = (remote: RemoteState): Json => ({
  name: remote.name,
  host: remote.host,
  'auth-id': remote.authId,
  ...optional('port', remote.port),
  ...optional('fingerprint', remote.fingerprint),
  ...optional('comment', remote.comment),
})

/** Configured remotes; their passwords are never returned. */
export const remoteRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/config/remote',
    permission: 'authenticated',
    parameters: () => ({}),
    handle: (context) => ({
      data: inCallOrder(context, context.state.remotes)
        .filter(({ name }) => may(context, `/remote/${name}`, 'Remote.Audit'))
        .map(remoteRow),
      siblings: { digest: configDigest(context.state.remotes) },
    }),
  },
]
