import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider from 'oidc-provider'

/** A person at the provider. */
export interface Person {
  readonly sub: string
  readonly [claim: string]: unknown
}

/** A real provider of OpenID Connect on loopback, at which the tests choose the person that signs in. */
export interface OpenIdProvider {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** The next sign-ins are those of this person; null: the person declines. */
  person: Person | null
  /** Answers nothing but 500 from now on, or as usual again. */
  broken: boolean
  readonly stop: () => Promise<void>
}

/** Starts one that knows a client which comes back to `redirectUri`. */
export async function startOpenIdProvider(redirectUri: string): Promise<OpenIdProvider> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const [clientId, clientSecret] = ['netbox-pbs', 'client-secret-of-the-test']
  const provider = new Provider(issuer, {
    clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] }],
    cookies: { keys: ['for tests only'] },
    claims: {
      openid: ['sub'],
      profile: ['preferred_username', 'given_name', 'family_name'],
      email: ['email'],
      groups: ['groups'],
    },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    interactions: { url: (_, interaction) => `/person/${interaction.uid}` },
    findAccount: (_, sub) => ({
      accountId: sub,
      claims: () => Promise.resolve({ ...running.person, sub }),
    }),
    loadExistingGrant: async (context) => {
      const { client, session } = context.oidc
      if (client === undefined || session?.accountId === undefined) return undefined
      const grant = new context.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId })
      grant.addOIDCScope('openid profile email groups')
      await grant.save()
      return grant
    },
  })
  const answer = provider.callback()
  server.on('request', (request, response) => {
    if (running.broken) return response.writeHead(500).end()
    if (!request.url?.startsWith('/person/')) return void answer(request, response)
    const { person } = running
    const result =
      person === null
        ? { error: 'access_denied', error_description: 'the person declined' }
        : { login: { accountId: person.sub, remember: false } }
    return void provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
  })
  const running: OpenIdProvider = {
    issuer,
    clientId,
    clientSecret,
    person: null,
    broken: false,
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return running
}
