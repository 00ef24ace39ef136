// A server of ws whose sockets are for bearers of a token with the scope chat.read. A JSON Web Token must be for this server,
// and is verified with the keys that the issuer had at the start. It asks the issuer about every other token. Its argument is
// the address of the issuer. Messages come back; "leave" ends a socket.
import {createServer} from 'node:http';
import {createLocalJWKSet, jwtVerify} from 'jose';
import {WebSocketServer} from 'ws';
import {listen} from './announce.mjs';

const issuer = process.argv[2];
const keys = createLocalJWKSet(await (await fetch(`http://${issuer}/jwks`)).json());

// verified returns what the issuer says of a token, or throws.
async function verified(token) {
  if (token.includes('.')) {
    return (await jwtVerify(token, keys, {issuer: 'http://issuer.test', audience: 'https://chat.test/'})).payload;
  }
  const response = await fetch(`http://${issuer}/token/introspection`, {
    method: 'POST',
    headers: {authorization: `Basic ${Buffer.from('socket:of+the+socket').toString('base64')}`},
    body: new URLSearchParams({token}),
  });
  const claims = await response.json();
  if (!claims.active) throw new Error('not active');
  return claims;
}

const seen = new Set(); // tokens
const http = createServer();
const webSockets = new WebSocketServer({noServer: true});
http.on('upgrade', async (request, socket, head) => {
  try {
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
    const claims = await verified(token);
    if (!claims.scope?.split(' ').includes('chat.read')) throw new Error('not for this');
    if (!seen.has(token)) console.log(`accepted a token of ${claims.client_id}`);
    seen.add(token);
  } catch (err) {
    console.log(`denied: ${err.message}`);
    socket.end('HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer error="invalid_token"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    return;
  }
  webSockets.handleUpgrade(request, socket, head, (webSocket) => {
    webSocket.on('message', (data) => {
      if (String(data) === 'leave') webSocket.close(4000, 'you asked for it');
      else webSocket.send(String(data));
    });
  });
});
await listen(http, 0);
