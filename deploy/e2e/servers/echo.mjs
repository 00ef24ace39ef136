// A plain echo server on ws: every message comes back as it was.
import {createServer} from 'node:http';
import {WebSocketServer} from 'ws';
import {listen, tellOfClose} from './announce.mjs';

const http = createServer();
const webSockets = new WebSocketServer({server: http});
webSockets.on('connection', (socket) => {
  tellOfClose(socket);
  socket.on('message', (data, isBinary) => socket.send(data, {binary: isBinary}));
});
await listen(http);
