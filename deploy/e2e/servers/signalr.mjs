// A SignalR hub with the method Echo, which calls the client's method tick. No server of SignalR runs on Node.js: this one
// reads and writes its messages by Microsoft's own library, and keeps the times of ASP.NET Core. A client may negotiate
// first; its token is then good for one connection. With the argument "negotiated" it must.
import {randomBytes} from 'node:crypto';
import {createServer} from 'node:http';
import {JsonHubProtocol, MessageType, NullLogger} from '@microsoft/signalr';
import {WebSocketServer} from 'ws';
import {listen, tellOfClose} from './announce.mjs';

const end = '\x1e', keepAlive = 15_000, clientTimeout = 30_000;
const protocol = new JsonHubProtocol();
const tokens = new Set();
const http = createServer((request, response) => {
  if (request.method !== 'POST' || !new URL(request.url, 'http://localhost').pathname.endsWith('/negotiate')) {
    response.writeHead(404).end();
    return;
  }
  const connectionToken = randomBytes(16).toString('base64url'); // Microsoft's client puts it into the query as it is
  tokens.add(connectionToken);
  console.log('negotiated');
  response.writeHead(200, {'Content-Type': 'application/json'}).end(JSON.stringify({negotiateVersion: 1, connectionId: 'public',
    connectionToken, availableTransports: [{transport: 'WebSockets', transferFormats: ['Text', 'Binary']}]}));
});
const verifyClient = ({req}) => {
  const token = new URL(req.url, 'http://localhost').searchParams.get('id');
  return token === null ? process.argv[3] !== 'negotiated' : tokens.delete(token);
};
const webSockets = new WebSocketServer({server: http, verifyClient});
webSockets.on('connection', (socket) => {
  tellOfClose(socket);
  let accepted = false, said = Date.now(), heard = Date.now();
  const say = (message) => {
    said = Date.now();
    socket.send(protocol.writeMessage(message));
  };
  socket.on('message', (data) => {
    heard = Date.now();
    let text = String(data);
    if (!accepted) {
      const i = text.indexOf(end);
      const {protocol: name, version} = JSON.parse(text.slice(0, i));
      if (name !== 'json' || version !== 1) return socket.close(1000);
      accepted = true;
      socket.send(`{}${end}`);
      text = text.slice(i + 1);
    }
    for (const message of text ? protocol.parseMessages(text, NullLogger.instance) : []) {
      if (message.type !== MessageType.Invocation || !message.invocationId) continue;
      const {invocationId, target, arguments: [argument]} = message;
      const outcome = target === 'Echo' ? {result: argument} : {error: 'no such method'};
      say({type: MessageType.Completion, invocationId, ...outcome});
    }
  });
  const ticks = setInterval(() => accepted && say({type: MessageType.Invocation, target: 'tick', arguments: [1]}), 20_000);
  const beats = setInterval(() => {
    if (accepted && Date.now() - said >= keepAlive) say({type: MessageType.Ping});
    if (Date.now() - heard < clientTimeout) return;
    say({type: MessageType.Close, error: 'Connection closed with an error.'});
    socket.close(1000);
  }, 1000);
  socket.on('close', () => {
    clearInterval(ticks);
    clearInterval(beats);
  });
});
await listen(http);
