// A Socket.IO server whose clients may ask it for an acknowledgement, say something to all, and get an event every 500 ms.
// Its namespace /members wants a token. The second argument is how often it pings in ms, by default 25000, and how long it
// waits for an answer.
import {createServer} from 'node:http';
import {Server} from 'socket.io';
import {listen, tellOfClose} from './announce.mjs';

const http = createServer();
const ms = Number(process.argv[3]);
const io = new Server(http, ms ? {pingInterval: ms, pingTimeout: ms} : {});
io.on('connection', (socket) => {
  socket.on('ping', (acknowledge) => acknowledge('pong'));
  socket.on('say', (text) => io.emit('said', text));
  const timer = setInterval(() => socket.emit('tick', Date.now()), 500);
  socket.on('disconnect', () => clearInterval(timer));
});
io.of('/members').use((socket, next) => {
  next(socket.handshake.auth.token === 'sesame' ? undefined : new Error('not authorized'));
});
io.engine.on('connection', (session) => {
  session.on('upgrade', (transport) => tellOfClose(transport.socket)); // of a client that began with polling
  if (session.transport.name === 'websocket') tellOfClose(session.transport.socket);
});
await listen(http);
