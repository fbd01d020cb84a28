// An authorization server on a free port. Prints one line of JSON once it listens: where, and two
// tokens of alice. It ends when its input does, so that nothing is left of a test that was killed.
import { createServer } from 'node:http';

import { Provider } from 'oidc-provider';

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const client = (client_id, client_secret, grant_types) => ({
  client_id,
  client_secret,
  grant_types,
  id_token_signed_response_alg: 'ES256',
  redirect_uris: [],
  response_types: [],
});
const orders = { scope: 'orders:read orders:write', audience: 'orders', accessTokenTTL: 600 };
const servers = {
  'urn:example:orders': orders,
  'urn:example:billing': { ...orders, audience: 'billing' },
};

const provider = new Provider(issuer, {
  clients: [
    client('shop', 'shop-secret', ['client_credentials']),
    // What a careless client would send wrongly: see RFC 6749 section 2.3.1.
    client('orders service', 'p%a+s:s w/ord', ['client_credentials']),
  ],
  extraTokenClaims: () => ({ roles: ['clerk', 'root'] }),
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: {
      enabled: true,
      allowedPolicy: (ctx, asking) => asking.clientId === 'orders service',
    },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (ctx, indicator) => ({
        ...servers[indicator], accessTokenFormat: 'opaque',
      }),
    },
    revocation: { enabled: true },
  },
  jwks: { keys: [await key()] },
  ttl: { AccessToken: 600, ClientCredentials: 600, Grant: 600, RefreshToken: 600 },
});
server.on('request', provider.callback());

const shop = await provider.Client.find('shop');
const grant = new provider.Grant({ accountId: 'alice', clientId: 'shop' });
grant.addResourceScope('urn:example:orders', orders.scope);
const grantId = await grant.save();
const scope = 'orders:read';
const access = new provider.AccessToken({ accountId: 'alice', client: shop, grantId, scope });
access.resourceServer = new provider.ResourceServer('urn:example:orders', {
  ...orders, accessTokenFormat: 'opaque',
});
const refresh = new provider.RefreshToken({ accountId: 'alice', client: shop, grantId, scope });
console.log(JSON.stringify({
  issuer, access: await access.save(), refresh: await refresh.save(),
}));

process.stdin.resume().on('end', () => process.exit());

async function key() {
  const { subtle } = globalThis.crypto;
  const pair = await subtle.generateKey(
    { name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'],
  );
  return { ...await subtle.exportKey('jwk', pair.privateKey), alg: 'ES256', use: 'sig' };
}
