// oidc-provider as a fair peer: its own logic unchanged, its shipped log-in pages, people pre-approved, refresh tokens
// that rotate. Secrets are compared as plain text, so no request pays for a password hash.
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';

import Provider from 'oidc-provider';

const { port, clients, resource, redisUrl } = JSON.parse(process.env.PEER_CONFIGURATION);
const { adapter } = redisUrl ? await import('./redis_adapter.mjs') : await import('./map_adapter.mjs');

const generate = promisify(generateKeyPair);
const jwk = ({ privateKey }, alg) => ({ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg, kid: alg });
const jwks = {
  keys: [
    jwk(await generate('rsa', { modulusLength: 2048 }), 'RS256'),
    jwk(await generate('ec', { namedCurve: 'P-256' }), 'ES256'),
  ],
};
const hour = 3600;

const provider = new Provider(`http://localhost:${port}`, {
  adapter: adapter(redisUrl),
  jwks,
  clients: clients.map((client) => ({ redirect_uris: [], response_types: [], ...client })),
  cookies: { keys: ['a key that signs the cookies of a benchmark'] },
  claims: { openid: ['sub'], email: ['email'] },
  scopes: ['openid', 'email', 'offline_access'],
  findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId, email: accountId }) }),
  // Every client here is its owner's own, so nobody is asked.
  async loadExistingGrant(context) {
    const { session, client } = context.oidc;
    const existing = session.grantIdFor(client.clientId);
    if (existing) return context.oidc.provider.Grant.find(existing);
    const grant = new context.oidc.provider.Grant({ accountId: session.accountId, clientId: client.clientId });
    grant.addOIDCScope('openid email');
    await grant.save();
    return grant;
  },
  issueRefreshToken: (_context, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  pkce: { required: () => true },
  ttl: {
    AccessToken: 900, AuthorizationCode: 60, ClientCredentials: 900, Grant: 24 * hour, IdToken: 900,
    Interaction: 600, RefreshToken: 7 * 24 * hour, Session: 24 * hour,
  },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        scope: 'read', audience: resource, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
});

provider.listen(port, '127.0.0.1');
