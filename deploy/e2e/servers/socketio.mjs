// A Socket.IO server whose clients may ask it for an acknowledgement, say something to all, and get an event every 500 ms.
// Its namespace /members wants a token. A client that says leave is ended by the server. POST /tickets gives tickets, each
// good for one session here: ?ticket= with another one is refused. The second argument is how often it pings in ms, by
// default 25000, and how long it waits for an answer.
import {randomBytes} from 'node:crypto';
import {createServer} from 'node:http';
import {Server} from 'socket.io';
import {listen, tellOfClose} from './announce.mjs';

const tickets = new Set();
const http = createServer((request, response) => {
  if (request.method !== 'POST' || request.url !== '/tickets') {
    response.writeHead(404).end();
    return;
  }
  const ticket = randomBytes(24).toString('base64'); // which has + and /
  tickets.add(ticket);
  console.log('issued a ticket');
  response.end(JSON.stringify({ticket}));
});
const ms = Number(process.argv[3]);
const io = new Server(http, {
  ...ms ? {pingInterval: ms, pingTimeout: ms} : {},
  allowRequest: (request, answer) => {
    const ticket = new URL(request.url, 'http://localhost').searchParams.get('ticket');
    answer(null, ticket === null || tickets.delete(ticket));
  },
});
io.on('connection', (socket) => {
  socket.on('ping', (acknowledge) => acknowledge('pong'));
  socket.on('leave', () => socket.conn.close());
  socket.on('say', (text) => io.emit('said', text));
  const timer = setInterval(() => socket.emit('tick', Date.now()), 500);
  socket.on('disconnect', () => clearInterval(timer));
});
io.of('/members').use((socket, next) => {
  next(socket.handshake.auth.token === 'sesame' ? undefined : new Error('not authorized'));
});
io.engine.on('connection', (session) => {
  console.log(`session by ${session.transport.name}`);
  session.on('upgrade', (transport) => { // of a client that began with polling
    console.log('session upgraded');
    tellOfClose(transport.socket);
  });
  if (session.transport.name === 'websocket') tellOfClose(session.transport.socket);
});
await listen(http);
