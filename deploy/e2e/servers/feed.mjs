// A feed of market data: after a subscription come numbered trades with their time, and other messages between them.
import {createServer} from 'node:http';
import {WebSocketServer} from 'ws';
import {listen, tellOfClose} from './announce.mjs';

const http = createServer();
const webSockets = new WebSocketServer({server: http});
webSockets.on('connection', (socket) => {
  tellOfClose(socket);
  const say = (message) => socket.send(JSON.stringify(message));
  let seq = 0, timer;
  socket.on('message', (data) => {
    const {op, channel} = JSON.parse(data);
    if (op !== 'subscribe' || timer) return say({op: 'error'});
    say({op: 'subscribed', channel});
    timer = setInterval(() => {
      say({channel: 'status', data: {state: 'open'}});
      say({channel, data: {seq: ++seq, ts: new Date().toISOString(), price: 1}});
    }, 250);
  });
  socket.on('close', () => clearInterval(timer));
});
await listen(http);
