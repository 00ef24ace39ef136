// A server whose connections stay open. Its path says what comes: /feed has a numbered message every 100 ms, without
// every tenth number; everything else is an echo.
import {createServer} from 'node:http';
import {WebSocketServer} from 'ws';
import {listen} from './announce.mjs';

const http = createServer();
const webSockets = new WebSocketServer({server: http});
webSockets.on('connection', (socket, {url}) => {
  console.log(`opened ${url}`);
  socket.on('close', (code) => console.log(`closed ${url} ${code}`));
  socket.on('error', (error) => console.log(`error ${url} ${error.message}`)); // Caddy 2.6 forgets the mask of its close frame
  socket.on('message', (data, isBinary) => socket.send(data, {binary: isBinary}));
  if (url !== '/feed') return;
  let seq = 0;
  const timer = setInterval(() => {
    if (++seq % 10 === 0) seq++;
    socket.send(JSON.stringify({seq, ts: Date.now()}));
  }, 100);
  socket.on('close', () => clearInterval(timer));
});
await listen(http);
