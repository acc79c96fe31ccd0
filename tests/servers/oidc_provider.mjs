// A certified OpenID provider (the npm package oidc-provider) for test_oidc_provider.py.
// Arguments: the folder where it is installed, and a port.
import { generateKeyPairSync } from 'node:crypto'
import { pathToFileURL } from 'node:url'

const [folder, port] = process.argv.slice(2)
const { Provider } = await import(pathToFileURL(`${folder}/node_modules/oidc-provider/lib/index.js`))

const jwk = (type, options, kid) => ({ ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), kid, use: 'sig' })
const client = (client_id, algorithm) => ({
  client_id,
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  redirect_uris: ['http://127.0.0.1/callback'],
  response_types: ['code'],
  grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
  id_token_signed_response_alg: algorithm,
})

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: ['RS256', 'PS256', 'ES256', 'EdDSA'].map((algorithm) => client(`secondlook-${algorithm}`, algorithm)),
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
  jwks: {
    keys: [
      jwk('rsa', { modulusLength: 2048 }, 'rsa'),
      jwk('ec', { namedCurve: 'P-256' }, 'ec'),
      jwk('ed25519', {}, 'ed'),
    ],
  },
  claims: { openid: ['sub'], profile: ['preferred_username'], email: ['email', 'email_verified'], groups: ['groups'] },
  scopes: ['openid', 'profile', 'email', 'groups'],
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  features: { deviceFlow: { enabled: true }, devInteractions: { enabled: true } },
  cookies: { keys: ['for tests only'] },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: async () => ({
      sub: id,
      preferred_username: `${id}.example`,
      email: `${id}@example.org`,
      email_verified: true,
      groups: id === 'eve' ? ['staff'] : ['staff', 'desk-reviewers'],
    }),
  }),
})
provider.listen(Number(port), '127.0.0.1')
