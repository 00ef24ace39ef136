// A certified OpenID provider that grants tokens to two clients: probe names itself in the header, form in the body. Its
// arguments are a port, the life of its tokens in seconds, and the file of the secret, which it reads at every request.
import {readFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {errors, Provider} from 'oidc-provider';
import {listen} from './announce.mjs';

const [, , port, life, secretFile] = process.argv;
const authentications = {probe: 'client_secret_basic', form: 'client_secret_post', socket: 'client_secret_basic'};
const stored = new Map(); // one for all models: their identifiers are random

// Store is where the provider keeps what it must find again.
class Store {
  constructor(model) {
    this.model = model;
  }

  async find(id) {
    if (this.model !== 'Client') return stored.get(id);
    if (!Object.hasOwn(authentications, id)) return undefined;
    return {
      client_id: id, client_secret: id === 'socket' ? 'of the socket' : readFileSync(secretFile, 'utf8'),
      token_endpoint_auth_method: authentications[id],
      grant_types: ['client_credentials'], response_types: [], redirect_uris: [],
    };
  }

  async upsert(id, payload) {
    stored.set(id, payload);
  }

  async destroy(id) {
    stored.delete(id);
  }
}

const provider = new Provider('http://issuer.test', {
  adapter: Store,
  scopes: ['chat.read', 'chat.write'],
  ttl: {ClientCredentials: Number(life)},
  features: {
    clientCredentials: {enabled: true},
    devInteractions: {enabled: false},
    introspection: {enabled: true},
    resourceIndicators: {
      enabled: true,
      defaultResource: (context) => context.oidc.body.audience, // which others call what this one calls resource
      getResourceServerInfo(context, resource) {
        if (resource !== 'https://chat.test/') throw new errors.InvalidTarget();
        return {scope: 'chat.read chat.write', accessTokenFormat: 'jwt'};
      },
    },
  },
});
provider.on('grant.success', ({oidc}) => console.log(`granted ${oidc.client.clientId} ${oidc.entities.ClientCredentials.scope}`));
provider.on('grant.error', (_, err) => console.log(`refused ${err.error}`));
await listen(createServer(provider.callback()), Number(port));
